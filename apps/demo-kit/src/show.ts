import { setTimeout as sleep } from 'node:timers/promises'

import type { Listening } from './app.ts'
import { Client } from './client.ts'

/** One part of the show. */
export type Scene<L extends Listening = Listening> = (stage: Stage<L>) => Promise<void>

/** The things that a scene works with. */
export interface Stage<L extends Listening = Listening> {
  readonly client: Client
  readonly app: L
  /** A user name of this run, so that two runs on one Redis do not share counters. */
  readonly as: (name: string, company?: string) => Record<string, string>
  /** The operator's token. */
  readonly token: string | undefined
  readonly time: Time
}

/** Options of a show. */
export interface ShowOptions<L extends Listening> {
  readonly token?: string | undefined
  /** Scenes of this framework alone. */
  readonly more?: readonly Scene<L>[] | undefined
  /** The time by which the show waits. Default: real time. */
  readonly time?: Time | undefined
}

/** A time that passes, in milliseconds. */
export interface Time {
  readonly now: () => number
  readonly sleep: (ms: number) => unknown
}

/** Sends requests to a running app and prints what a client sees. Resolves to true if every answer was as expected. */
export async function show<L extends Listening>(
  app: L,
  print: (line: string) => void,
  { token, more = [], time = { now: () => performance.now(), sleep } }: ShowOptions<L> = {},
): Promise<boolean> {
  const run = Math.random().toString(36).slice(2, 8)
  const as = (name: string, company?: string): Record<string, string> => ({
    'X-Demo-User': company === undefined ? `${name}-${run}` : `${name}-${run}@${company}-${run}`,
  })
  const stage = { client: new Client(app.url, print), app, as, token, time }
  const { client } = stage
  const ann = as('ann')

  client.title('A user on the free plan may send 5 requests every 4 seconds. The sixth is refused')
  for (let i = 0; i < 5; i++) await client.expect(200, 'GET', '/quotes', ann)
  const refused = await client.expect(429, 'GET', '/quotes', ann)
  await client.body(refused)
  const wait = Number(refused.headers.get('retry-after'))
  client.check('Retry-After is 1 to 4 seconds', wait >= 1 && wait <= 4)
  const due = time.now() + wait * 1000

  for (const scene of [...scenes, ...more]) await scene(stage)

  client.title(`The first user tries again after ${wait} s, as Retry-After said, and gets an answer`)
  await time.sleep(Math.max(0, due - time.now()))
  await client.expect(200, 'GET', '/quotes', ann)
  if (token !== undefined) await seen(stage, token)
  return client.ok
}

const scenes: readonly Scene[] = [
  async function upgrade({ client, as }) {
    const bob = as('bob')
    client.title(
      'A user moves to the pro plan: 50 instead of 5. What was used before stays used (a report costs 5)',
    )
    await client.expect(200, 'GET', '/reports', bob)
    await client.expect(200, 'POST', '/plan', bob, { plan: 'pro' })
    const after = await client.expect(200, 'GET', '/quotes', bob)
    const left = Number(after.headers.get('ratelimit-remaining'))
    client.check('44 to 49 of 50 are left', left >= 44 && left < 50)
  },

  async function quota({ client, as }) {
    client.title(
      'A company may send 8 requests per month, and each of its users 5 every 4 seconds. A refused request counts against neither limit',
    )
    for (let i = 0; i < 4; i++) await client.expect(200, 'GET', '/quotes', as('cat', 'acme'))
    for (let i = 0; i < 4; i++) await client.expect(200, 'GET', '/quotes', as('dan', 'acme'))
    const refused = await client.expect(429, 'GET', '/quotes', as('dan', 'acme'))
    client.check('the month refuses', (await client.body(refused)).includes('company_month'))
  },

  async function penalty({ client, as, time }) {
    const eve = as('eve')
    client.title('A user is refused in three different seconds. A penalty halves the limit: 5 becomes 2')
    for (let i = 0; i < 5; i++) await client.send('GET', '/quotes', eve)
    let again = await client.expect(429, 'GET', '/quotes', eve)
    for (let second = 2; second <= 3; second++) {
      await time.sleep(1050)
      await client.expect(200, 'GET', '/quotes', eve)
      again = await client.expect(429, 'GET', '/quotes', eve)
    }
    client.check('the limit is 2', again.headers.get('ratelimit-limit') === '2')
    client.check('it is called abnormal usage', (await client.body(again)).includes('abnormal-usage'))
  },

  async function model({ client, as }) {
    const fay = as('fay')
    const prompt = 'How does a token bucket work?'
    client.heading(
      'A model call costs tokens. It reserves 68; when its stream ends, the unused ones come back',
    )
    for (const said of ['first call', 'second call']) {
      const response = await client.send('POST', '/complete', fay, { prompt })
      const left = response.headers.get('x-ratelimit-remaining-tokens')
      const events = (await response.text()).trim().split('\n\n')
      client.print(`${said}: ${response.status}, x-ratelimit-remaining-tokens: ${left}`)
      client.print(`… ${events.length - 1} tokens, then ${events.at(-1)}`)
      client.check('a stream with its usage', events.length > 10 && events.at(-1)?.includes('usage') === true)
      // 300 - 68; then 300 - 35 - 68, and a few tokens that have come back.
      const least = said === 'first call' ? 232 : 197
      client.check(`${least} to ${least + 20} are left`, Number(left) >= least && Number(left) <= least + 20)
    }
  },

  async function passwords({ client }) {
    client.title('A login allows 3 tries. The next one starts a pause of 3 seconds')
    for (let i = 0; i < 3; i++) await client.expect(401, 'POST', '/auth/login', {}, { password: 'guess' })
    await client.expect(429, 'POST', '/auth/login', {}, { password: 'correct horse' })
  },

  async function health({ client }) {
    client.title('Health checks are not counted')
    await client.expect(200, 'GET', '/health')
  },
]

/** What the operator sees with the token, and what others see. */
async function seen({ client, as }: Stage, token: string): Promise<void> {
  client.title("The operator asks why the company is refused. Without the operator's token the answer is 401")
  await client.expect(401, 'GET', '/debug/explain')
  const headers = { ...as('dan', 'acme'), Authorization: `Bearer ${token}`, Accept: 'text/plain' }
  const explained = await client.expect(200, 'GET', '/debug/explain', headers)
  client.check('the quota is named', (await client.body(explained)).includes('quota-exceeded'))
  await client.expect(200, 'GET', '/operator/', { Authorization: `Bearer ${token}` })
}
