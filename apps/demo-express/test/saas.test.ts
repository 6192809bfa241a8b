// Runs the application of docs/recipes/saas.md twice on one Redis, as two processes would run it, and its command line.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import { run as halt } from '@halt/cli'
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest'

import { type PageRun, runPageExample } from '../../../tools/example.ts'
import { unique } from '../../../tools/unique.ts'

const page = await readFile(new URL('../../../docs/recipes/saas.md', import.meta.url), 'utf8')
const [limits = '', app = ''] = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code)
const SOON = { timeout: 20_000, interval: 50 }

let folder: string
let first: PageRun
let second: PageRun
const mails: string[] = []
const ends: NodeJS.SignalsListener[] = []
// Each test has processes and counters of its own.
beforeEach(async () => {
  vi.stubEnv('REDIS_URL', inject('redisUrl'))
  folder = await mkdtemp(fileURLToPath(new URL('.saas-', import.meta.url)))
  await writeFile(join(folder, 'limits.ts'), limits.replace("'shop:'", `'${unique()}:'`))
  // Both processes have one database, and a store that may be slow on a busy machine.
  const code = app
    .replace('const plansOf = ', 'const plansOf = globalThis.plansOf ??= ')
    .replace('const limiter = new RateLimiter({', "$&\n  storeTimeout: '10s',")
  const before = process.listeners('SIGTERM')
  ;[first, second] = [await runPageExample(folder, 'one', code), await runPageExample(folder, 'two', code)]
  ends.push(...process.listeners('SIGTERM').filter(listener => !before.includes(listener)))
  vi.spyOn(console, 'log').mockImplementation(text => void mails.push(String(text)))
})
afterEach(async () => {
  mails.length = 0
  for (const end of ends.splice(0)) {
    end('SIGTERM')
    process.off('SIGTERM', end)
  }
  await Promise.all([first.close(), second.close()])
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  Reflect.deleteProperty(globalThis, 'plansOf')
  await rm(folder, { recursive: true })
})

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
const ask = (run: PageRun, path: string, sent: Sent = {}, key = 'key-of-acme'): Promise<Response> =>
  fetch(`${run.urls[0]}${path}`, { ...sent, headers: { 'X-API-Key': key, ...sent.headers } })
const post = (
  run: PageRun,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> =>
  ask(run, path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const call = async (run: PageRun, key?: string): Promise<number> =>
  (await ask(run, '/v1/quotes', {}, key)).status
interface Limits {
  readonly limits: readonly { readonly policy: string; readonly limit: number; readonly remaining: number }[]
}
const usage = async (run: PageRun): Promise<string[]> => {
  const { limits: all } = (await (await ask(run, '/v1/usage')).json()) as Limits
  return all.map(({ policy, limit, remaining }) => `${policy} ${remaining} of ${limit}`)
}
const desk = (run: PageRun, name: string, body: object): Promise<Response> =>
  post(run, `/desk/api/${name}`, body, {
    authorization: `Basic ${btoa('ann:secret')}`,
    'x-halt-operator': '1',
  })
async function shell(line: string): Promise<{ readonly code: number; readonly printed: string }> {
  const printed: string[] = []
  const stream = new Writable({ write: (text, _, done) => (printed.push(String(text)), done()) })
  const code = await halt(line.split(' '), {
    stdin: Readable.from([]),
    stdout: stream,
    stderr: stream,
    cwd: folder,
    env: { HALT_REDIS_URL: inject('redisUrl') },
    require: createRequire(import.meta.url),
  })
  return { code, printed: printed.join('') }
}

it('both processes count the keys of a customer together, and refuse unknown keys', async () => {
  const found = [await call(first), await call(second), await call(first, 'second-key-of-acme')]
  expect(found).toEqual([200, 200, 200])
  expect(await usage(second)).toEqual([expect.stringMatching(/^free_rate \d of 60$/), 'free_month 7 of 10'])
  expect(await call(first, 'stolen')).toBe(401)
})

it('a process refuses more than the burst, and says why', async () => {
  const burst = await Promise.all(
    Array.from({ length: 12 }, () => ask(first, '/v1/quotes', {}, 'key-of-globex')),
  )
  expect(burst.map(({ status }) => status)).toEqual(Array(12).fill(200))
  const many = await Promise.all(
    Array.from({ length: 300 }, () => ask(second, '/v1/quotes', {}, 'key-of-globex')),
  )
  const refused = many.find(({ status }) => status === 429)
  expect(await refused?.json()).toMatchObject({ reason: 'limited', policy: 'pro_rate', limit: 600 })
})

/** Gives acme a larger burst at the desk, and waits until both processes know it. */
async function giveBurst(): Promise<void> {
  const act = {
    act: 'override',
    whom: { user: 'acme' },
    policy: 'free_rate',
    numbers: { limit: 61, burst: 40 },
    for: '1h',
    reason: 'trial',
    confirmed: true,
  }
  expect(await (await desk(first, 'act', act)).json()).toMatchObject({ done: true })
  await vi.waitFor(async () => {
    for (const run of [first, second]) expect((await usage(run))[0]).toMatch(/^free_rate \d+ of 61$/)
  }, SOON)
}

it('an operator gives one customer other numbers from the desk, for both processes', async () => {
  expect((await ask(first, '/desk/')).status).toBe(401)
  await giveBurst()
  // The plan alone has a burst of 5.
  const found = await Promise.all(Array.from({ length: 8 }, (_, i) => call(i % 2 === 0 ? first : second)))
  expect(found).toEqual(Array(8).fill(200))
})

it('the application mails at 80 and 100 % of the month, and refuses after that until a top-up', async () => {
  await giveBurst()
  const found: number[] = []
  for (let i = 0; i < 11; i++) found.push(await call(i % 2 === 0 ? first : second))
  expect(found).toEqual([...Array(10).fill(200), 429])
  expect(mails).toEqual([
    'to user:acme: 80 % of the month: 8 of 10 calls',
    'to user:acme: 100 % of the month: 10 of 10 calls',
  ])
  expect(await (await ask(first, '/v1/quotes')).json()).toMatchObject({
    reason: 'quota-exceeded',
    policy: 'free_month',
  })
  const topUp = { customer: 'acme', calls: 5, invoice: 'in_1' }
  for (const run of [first, second])
    expect(await (await post(run, '/paid/top-up', topUp)).json()).toEqual({ remaining: 5 })
  expect([await call(first), await call(second)]).toEqual([200, 200])
})

it('support sees the customer under each plan at the desk, and grants more at the command line', async () => {
  // A bucket that is full again would not tell by which numbers it was charged.
  for (let i = 0; i < 4; i++) expect(await call(i % 2 === 0 ? first : second)).toBe(200)
  const found = (await (await desk(second, 'find', { whom: { user: 'acme' } })).json()) as {
    readonly limiters: readonly { readonly plan: string; readonly chargedLast: boolean }[]
  }
  expect(found.limiters.map(({ plan, chargedLast }) => [plan, chargedLast])).toEqual([
    ['free', true],
    ['pro', false],
  ])
  const seen = await shell('find user:acme --policy limits.ts')
  expect([seen.code, seen.printed]).toEqual([0, expect.stringMatching(/free_month.*6 of 10 left/)])
  expect((await shell('grant user:acme free_month 100 --policy limits.ts --reason outage')).code).toBe(0)
  expect((await usage(first))[1]).toBe('free_month 106 of 110')
})

it('a customer who has just paid has the larger plan in both processes, and keeps the used units', async () => {
  // Both processes have looked the plan up.
  expect([await call(first), await call(second)]).toEqual([200, 200])
  await post(first, '/paid/upgrade', { customer: 'acme', plan: 'pro' })
  await vi.waitFor(async () => {
    for (const run of [first, second]) expect((await usage(run))[1]).toBe('pro_month 998 of 1000')
  }, SOON)
})
