// Replays attacks on the login of docs/recipes/login-protection.md, over real sockets: who gets in, who waits how long, how many
// guesses pass. The numbers are those that the page tells.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Agent, request } from 'node:http'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import type { LineMessage } from '@halt/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { examplesOf, type PageRun, runPageExample } from '../../../tools/example.ts'

const page = await readFile(new URL('../../../docs/recipes/login-protection.md', import.meta.url), 'utf8')
const code = examplesOf(page).find(example => example.includes('deviceIn')) ?? ''
const RIGHT = 'correct horse'

/** What the example reads: how far its store's clock is moved on, in milliseconds, and the end of a check of a password. */
const clock = globalThis as unknown as { movedMs: number; checked: Promise<void> }

let folder: string
let run: PageRun
let starts = 0
const agent = new Agent({ keepAlive: true, maxSockets: 1000 })
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.login-', import.meta.url)))
})
afterAll(async () => {
  agent.destroy()
  await rm(folder, { recursive: true })
})
beforeEach(() => start(quickly))
afterEach(() => run.close())

/** Checks passwords quickly, for attacks that last an hour. */
const quickly = (text: string): string => text.replace('hashing(50)', 'hashing(5)')

/** Starts the server of the page, with counters of its own whose clock a test moves. */
async function start(change: (text: string) => string = text => text): Promise<void> {
  clock.movedMs = 0
  const moved = code.replace(
    'new InMemoryStore()',
    'new InMemoryStore({ clock: () => performance.timeOrigin + performance.now() + (globalThis as any).movedMs })',
  )
  expect(moved).not.toBe(code)
  run = await runPageExample(folder, `login-${starts++}`, change(moved))
}

/** One attempt to log in. */
interface Attempt {
  readonly address: string
  readonly email: string
  readonly password?: string
  readonly cookie?: string | undefined
}

/** The answer to an attempt. */
interface Answer {
  readonly status: number
  readonly retryAfter: number
  readonly cookie: string | undefined
}

function attempt({ address, email, password = 'guess', cookie }: Attempt): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': address, cookie: cookie ?? '' }
    const sent = request(`${run.urls[0]}/login`, { method: 'POST', headers, agent }, response => {
      response.resume().on('end', () => {
        const [set] = response.headers['set-cookie'] ?? []
        const retryAfter = Number(response.headers['retry-after'] ?? 0)
        resolve({ status: response.statusCode ?? 0, retryAfter, cookie: set?.split(';')[0] })
      })
    })
    sent.on('error', reject).end(JSON.stringify({ email, password }))
  })
}

const passed = (answers: readonly Answer[]): number => answers.filter(({ status }) => status === 401).length
const statusesOf = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status)
const move = (seconds: number): void => void (clock.movedMs += seconds * 1000)

async function each(count: number, make: (i: number) => Attempt): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < count; i++) answers.push(await attempt(make(i)))
  return answers
}
function atOnce(count: number, make: (i: number) => Attempt): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => attempt(make(i))))
}

/** The waits of callers while some work is done, in milliseconds. */
async function waitsIn(work: () => Promise<unknown>): Promise<number[]> {
  const waits: number[] = []
  const hear = (message: unknown): void => {
    const said = message as LineMessage
    if (said.event === 'turn') waits.push(said.waitedMs)
  }
  subscribe('halt:line', hear)
  await work()
  unsubscribe('halt:line', hear)
  return waits
}

/** A device on which an account has logged in before. */
async function knownDevice(email: string): Promise<string> {
  const { status, cookie } = await attempt({ address: '192.0.2.200', email, password: RIGHT })
  expect([status, cookie?.startsWith('device=')]).toEqual([200, true])
  return cookie as string
}

/** Expects that a refusal told the truth: a second before its time the same is refused, and then it passes. */
async function expectTrue({ retryAfter }: Answer, again: Attempt): Promise<void> {
  expect(retryAfter).toBeGreaterThan(1)
  // The clock also goes on by itself, by less than this on any machine that runs the tests.
  move(retryAfter - 20)
  expect((await attempt(again)).status).toBe(429)
  move(20)
  expect((await attempt(again)).status).toBe(again.password === RIGHT ? 200 : 401)
}

const OFFICE = '198.51.100.1'
const OWNER = 'owner@example.com'

describe('an office of 40 that logs in at nine', () => {
  const people = (i: number): Attempt => ({ address: OFFICE, email: `p${i}@example.com`, password: RIGHT })

  /** Starts the server, with a check of passwords that lasts until all 40 have come. */
  async function startSlowly(change: (text: string) => string = text => text): Promise<() => void> {
    await run.close()
    let end = (): void => {}
    clock.checked = new Promise(resolve => (end = resolve))
    await start(text => change(text.replace('hashing(50)', '(globalThis as any).checked')))
    return end
  }

  it('an office of 40 behind one address logs in at once: 10 at a time, and the others wait for them', async () => {
    const allHaveCome = await startSlowly()
    const events: string[] = []
    const hear = (message: unknown): void => {
      events.push((message as LineMessage).event)
      if (events.length === 30) allHaveCome()
    }
    subscribe('halt:line', hear)
    const found = statusesOf(await atOnce(40, people))
    unsubscribe('halt:line', hear)
    expect(found).toEqual(Array(40).fill(200))
    expect(events.toSorted()).toEqual([
      ...Array<string>(30).fill('turn'),
      ...Array<string>(30).fill('waiting'),
    ])
  })

  it('the example without its delay refuses 30 of the 40 people of an office', async () => {
    const allHaveCome = await startSlowly(text => text.replace(/delay: .*\n/, ''))
    let refused = 0
    const found = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const { status } = await attempt(people(i))
        if (status === 429 && ++refused === 30) allHaveCome()
        return status
      }),
    )
    expect(found.filter(status => status === 200)).toHaveLength(10)
  })

  it('an office of 40 logs in at once also if every fourth person mistypes once', async () => {
    const mistyped = await atOnce(10, i => ({ ...people(4 * i), password: 'typo' }))
    expect(statusesOf(mistyped)).toEqual(Array(10).fill(401))
    expect(statusesOf(await atOnce(40, people))).toEqual(Array(40).fill(200))
  })
})

describe('one address that guesses the password of one account', () => {
  const guess: Attempt = { address: '203.0.113.9', email: OWNER }

  it('one address has 5 guesses at one account, then none for a quarter of an hour, as the answer says', async () => {
    const answers = await each(8, () => guess)
    expect(statusesOf(answers)).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
    expect(answers[5]?.retryAfter).toBe(900)
    await expectTrue(answers[7]!, guess)
  })

  it('one address has at most 7 guesses at one account if it sends a hundred at once', async () => {
    expect(passed(await atOnce(100, () => guess))).toBeLessThanOrEqual(7)
  })

  it('one address has at most 20 guesses at one account in an hour', async () => {
    let count = 0
    for (let minute = 0; minute < 60; minute++) {
      for (;;) {
        const { status } = await attempt(guess)
        if (status !== 401) break
        count++
      }
      move(60)
    }
    expect(count).toBeLessThanOrEqual(20)
  })
})

describe('60 addresses that guess the password of one account', () => {
  const [times, saidTimes] = isFull ? [5, 'five'] : [3, 'three']
  const guess = (i: number): Attempt => ({ address: `203.0.113.${i}`, email: OWNER })

  it('60 addresses have 100 guesses at one account together, and then at most five in an hour', async () => {
    const rounds: number[] = []
    for (let round = 0; round < (isFull ? 6 : 3); round++) rounds.push(passed(await each(60, guess)))
    expect(rounds).toEqual(isFull ? [60, 40, 0, 0, 0, 0] : [60, 40, 0])
    let later = 0
    for (let minute = 0; minute < 60; minute++) {
      later += passed(await each(3, i => guess(10 + ((minute * 3 + i) % 50))))
      move(60)
    }
    expect(later).toBeLessThanOrEqual(5)
  })

  it(`60 addresses have at most 100 guesses at one account if they send ${saidTimes} each at once`, async () => {
    expect(passed(await atOnce(60 * times, i => guess(i % 60)))).toBeLessThanOrEqual(100)
  })

  it('60 addresses that guess do not lock the owner out of a known device', async () => {
    const cookie = await knownDevice(OWNER)
    await atOnce(60 * times, i => guess(i % 60))
    const login: Attempt = { address: '192.0.2.7', email: OWNER, password: RIGHT, cookie }
    const waits = await waitsIn(async () => expect((await attempt(login)).status).toBe(200))
    expect(waits).toEqual([])
    // Also where the attack comes from.
    expect((await attempt({ ...login, address: '203.0.113.1' })).status).toBe(200)
  })

  it('60 addresses that guess lock the owner out of a new device for as long as the answer says', async () => {
    for (let round = 0; round < 2; round++) await each(60, guess)
    const login: Attempt = { address: '192.0.2.7', email: OWNER, password: RIGHT }
    const refused = await attempt(login)
    expect(refused.status).toBe(429)
    expect(refused.retryAfter).toBeLessThanOrEqual(864)
    await expectTrue(refused, login)
    // A good login costs nothing, so the next device gets in too.
    expect((await attempt({ ...login, address: '192.0.2.8' })).status).toBe(200)
  })
})

const ACCOUNTS = isFull ? 300 : 150

describe(`one address that tries one password on ${ACCOUNTS} accounts`, () => {
  const guess = (i: number): Attempt => ({ address: '203.0.113.9', email: `victim${i}@example.com` })

  it('one address that tries many accounts has 30 guesses, and then two a minute', async () => {
    const answers = await each(40, guess)
    expect(statusesOf(answers)).toEqual([...Array<number>(30).fill(401), ...Array<number>(10).fill(429)])
    expect(answers.at(-1)?.retryAfter).toBeLessThanOrEqual(30)
    let later = 0
    for (let minute = 0; minute < 30; minute++) {
      later += passed(await each(4, i => guess(100 + minute * 4 + i)))
      move(60)
    }
    expect(later).toBeLessThanOrEqual(62)
    expect(later).toBeGreaterThan(50)
  })

  it(`one address that tries ${ACCOUNTS} accounts at once has at most 40 guesses`, async () => {
    expect(passed(await atOnce(ACCOUNTS, guess))).toBeLessThanOrEqual(40)
  })

  it('one address that tries many accounts locks out new devices at that address, and nobody else', async () => {
    const cookie = await knownDevice(OWNER)
    await atOnce(ACCOUNTS, guess)
    const login = { email: OWNER, password: RIGHT }
    expect((await attempt({ ...login, address: '203.0.113.9', cookie })).status).toBe(200)
    expect((await attempt({ ...guess(7), address: OFFICE, password: RIGHT })).status).toBe(200)
    const neighbour = { address: '203.0.113.9', email: 'neighbour@example.com', password: RIGHT }
    const refused = await attempt(neighbour)
    expect(refused.status).toBe(429)
    // 30 guesses, and those that were undecided at that moment.
    expect(refused.retryAfter).toBeLessThanOrEqual(330)
    await expectTrue(refused, neighbour)
  })
})

describe('200 addresses that try stolen passwords on 5 000 accounts', () => {
  const guess = (i: number): Attempt => ({
    address: `198.18.${i % 200}.1`,
    email: `victim${i % 5000}@example.com`,
  })

  /** Sends 120 guesses in each minute. Gives how many passed, in all and after half an hour. */
  async function stuff(minutes: number): Promise<{ all: number; late: number }> {
    let [all, late] = [0, 0]
    for (let minute = 0; minute < minutes; minute++) {
      const count = passed(await atOnce(120, i => guess(minute * 120 + i)))
      all += count
      if (minute >= 30) late += count
      move(60)
    }
    return { all, late }
  }
  /** Enforces the fourth limit. Without `delay`, because each refusal of less than 5 s would take the test these seconds. */
  const enforced = (text: string): string =>
    quickly(text)
      .replace(", mode: 'shadow'", '')
      .replace(/delay: .*\n/, '')

  // The 7 200 guesses of an hour take seconds of a processor.
  const [minutes, said] = isFull ? [60, '7 200'] : [8, '960']

  it(`200 addresses have all their ${said} guesses in shadow, and the fourth limit raises the alarm`, async () => {
    const alarms = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => alarms.mockRestore())
    expect(passed(await atOnce(500, guess))).toBe(500)
    expect(alarms).not.toHaveBeenCalled()
    move(3600)
    expect((await stuff(minutes)).all).toBe(120 * minutes)
    expect(alarms.mock.calls[0]).toEqual(['Too many failed logins, over all addresses and accounts.'])
  })

  // The short form plays the attack in shadow alone.
  it.runIf(isFull)(
    '200 addresses have 600 guesses and ten a minute if the fourth limit is enforced; known devices get in',
    async () => {
      await run.close()
      await start(enforced)
      const cookie = await knownDevice(OWNER)
      const { all, late } = await stuff(60)
      expect(all).toBeGreaterThan(1000)
      // The clock also goes on by itself while the test runs.
      expect(all).toBeLessThanOrEqual(1250)
      expect(late).toBeLessThanOrEqual(350)
      const login: Attempt = { address: '192.0.2.7', email: OWNER, password: RIGHT, cookie }
      expect((await attempt(login)).status).toBe(200)
      await atOnce(120, guess)
      const stranger = { ...login, cookie: undefined }
      const refused = await attempt(stranger)
      expect(refused.status).toBe(429)
      move(refused.retryAfter)
      expect((await attempt(stranger)).status).toBe(200)
    },
  )
})

describe('a cookie of a known device', () => {
  it('a cookie of a known device gives no guesses for another account, when changed, or after its time', async () => {
    const cookie = await knownDevice('mallory@example.com')
    const changed = [
      cookie,
      cookie.replace(/\.\d+\./, found => found.replace(/\d(?=\.$)/, '9')),
      `${cookie}x`,
      cookie.slice(0, -1),
      'device=a.9999999999999.',
      'device=..',
    ]
    // All of them are strangers for the owner: 5 guesses for all cookies together.
    let count = 0
    for (let i = 0; i < 12; i++) {
      const { status } = await attempt({ address: '203.0.113.9', email: OWNER, cookie: changed[i % 6] })
      if (status === 401) count++
    }
    expect(count).toBe(5)
  })

  it('a stolen cookie of a known device gives 10 guesses in a quarter of an hour', async () => {
    const cookie = await knownDevice(OWNER)
    const answers = await each(15, i => ({ address: `203.0.113.${i}`, email: OWNER, cookie }))
    expect(passed(answers)).toBe(10)
  })
})
