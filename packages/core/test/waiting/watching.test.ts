// Looks at a line from outside: `line`, `idle`, and the hooks of callers that wait.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { HaltWarning, Policy, Telemetry } from '../../src/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import { Limiter } from '../../src/limiter/limiter.ts'
import { queue } from '../../src/waiting/index.ts'
import { waitingRoom } from '../../src/waiting/lines.ts'
import { by, rejection, view } from '../world.ts'
import { otherProcess, passingWorld } from './passing-world.ts'
import { api, noting } from './some-callers.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  vi.useRealTimers()
  const { size, alarms } = waitingRoom
  if (size + alarms.size > 0) throw new Error(`${size} callers and ${alarms.size} alarms were left behind.`)
})

/** Whether a promise is settled, as time passes. */
function watched(promise: Promise<void>): { isSettled: boolean } {
  const state = { isSettled: false }
  void promise.then(() => (state.isSettled = true))
  return state
}

describe('line', () => {
  it('the line is empty where nobody waits', async () => {
    const { limiter } = passingWorld()
    const own = limiter(api)
    expect(await own.line('s')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
    await own.consume('s')
    expect(await own.line('s')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
  })

  it('line() tells how many units and callers wait, and when the last one starts', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const own = limiter({ ...api, burst: 5 })
    for (let i = 0; i < 4; i++) void acquire(own, 's', i, { cost: i < 3 ? 2 : 5 })
    await pass(0)
    // Two start at once, and the third has one of its two units.
    expect(await own.line('s')).toEqual({ units: 6, callers: 2, lastStartsInMs: 600 })
    await pass(150)
    expect(await own.line('s')).toEqual({ units: 5, callers: 1, lastStartsInMs: 450 })
    await pass(450)
    expect(await own.line('s')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
  })

  it('line() tells the units of all processes, and the callers of its own', async () => {
    const { limiter, store, acquire, pass } = passingWorld()
    const own = limiter(api)
    const other = limiter(api, { store: otherProcess(store) })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(0)
    void acquire(other, 's', 3)
    await pass(0)
    expect(await own.line('s')).toEqual({ units: 3, callers: 2, lastStartsInMs: 300 })
    expect(await other.line('s')).toEqual({ units: 3, callers: 1, lastStartsInMs: 300 })
    await pass(300)
  })

  it('line() tells the longest of the lines of several policies', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const own = limiter([
      { ...api, name: 'slow', limit: 1 },
      { ...api, name: 'fast', limit: 100 },
    ])
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(0)
    expect(await own.line('s')).toEqual({ units: 2, callers: 2, lastStartsInMs: 2000 })
    await pass(2000)
  })

  it('line() knows callers of an identity apart, and those of requests', async () => {
    const { limiter, pass } = passingWorld()
    const own = limiter({ name: 'api', limit: 10, window: 1, burst: 1, keyStrategy: 'user' })
    const turns = ['42', '42', '42', '7', '7'].map(id => own.acquire(by(id)))
    turns.push(own.acquire({ user: '42' }))
    await pass(0)
    expect(await own.line({ user: '42' })).toEqual({ units: 3, callers: 3, lastStartsInMs: 300 })
    expect(await own.line({ user: '7' })).toEqual({ units: 1, callers: 1, lastStartsInMs: 100 })
    expect(own.waiting).toBe(4)
    await pass(300)
    await Promise.all(turns)
  })

  it('line() counts everybody where one counter serves all', async () => {
    const { limiter, pass } = passingWorld()
    const own = limiter({ name: 'api', limit: 10, window: 1, burst: 1, keyStrategy: 'shared' })
    const turns = [own.acquire(view()), own.acquire(view()), own.acquire('job')]
    await pass(0)
    expect(await own.line('anything')).toEqual({ units: 2, callers: 2, lastStartsInMs: 200 })
    await pass(200)
    await Promise.all(turns)
  })

  it('line() counts those who ask again, and does not know when they start', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const own = limiter({ ...api, algorithm: 'fixed-window', burst: undefined })
    for (let i = 0; i < 4; i++) void acquire(own, 's', i, { cost: 5 })
    await pass(0)
    expect(await own.line('s')).toEqual({ units: 10, callers: 2, lastStartsInMs: undefined })
    await pass(1000)
    expect(await own.line('s')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
  })

  it('line() tells of its own process while the store is away', async () => {
    const { limiter, store, acquire, pass } = passingWorld()
    const failing = fakeOutage(store)
    const own = limiter(api, { store: failing, instances: 1 })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(0)
    failing.begin('refused')
    expect(await own.line('s')).toEqual({ units: 2, callers: 2, lastStartsInMs: 200 })
    await pass(100)
    expect(await own.line('s')).toEqual({ units: 1, callers: 1, lastStartsInMs: 100 })
    await pass(100)
    expect(await own.line('s')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
    failing.end()
  })

  it('line() needs the policy where a function chooses it, and an identity', async () => {
    const { limiter } = passingWorld()
    const own = limiter(() => api)
    expect(await rejection(own.line('s'))).toMatchObject({ code: 'HALT_E_POLICY_REQUIRED' })
    expect(await own.line('s', { policy: api })).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
    expect(await rejection(own.line('s', { polcy: api } as object))).toMatchObject({
      code: 'HALT_E_UNKNOWN_FIELD',
    })
    expect(await rejection(own.line({} as never))).toMatchObject({ code: 'HALT_E_IDENTITY' })
    expect(await rejection(own.idle({} as never))).toMatchObject({ code: 'HALT_E_IDENTITY' })
  })
})

describe('idle', () => {
  it('idle() resolves at once where nobody waits, also after the end of the limiter', async () => {
    const { limiter } = passingWorld()
    const own = limiter(api)
    const isAtOnce = async (idle: Promise<void>): Promise<boolean> => {
      const state = watched(idle)
      await new Promise(resolve => void setImmediate(resolve))
      return state.isSettled
    }
    expect([await isAtOnce(own.idle()), await isAtOnce(own.idle('s'))]).toEqual([true, true])
    await own.close()
    expect([await isAtOnce(own.idle()), await isAtOnce(own.idle('s'))]).toEqual([true, true])
  })

  it('idle() resolves after the turn of the last caller, and waits for those that join meanwhile', async () => {
    const { limiter, acquire, pass, starts } = passingWorld()
    const own = limiter(api)
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    let startedBefore = -1
    const idle = watched(own.idle().then(() => void (startedBefore = starts.length)))
    await pass(150)
    void acquire(own, 's', 'late')
    await pass(149)
    expect(idle.isSettled).toBe(false)
    await pass(1)
    expect([idle.isSettled, startedBefore]).toEqual([true, 4])
  })

  it('idle() waits for the callers of one identity alone', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const own = limiter(api)
    for (const who of ['a', 'a', 'b', 'b', 'b']) void acquire(own, who, who)
    const [a, b, all] = [own.idle('a'), own.idle('b'), own.idle()].map(watched) as [never, never, never]
    const settled = (): boolean[] => [a, b, all].map(({ isSettled }) => isSettled)
    expect(settled()).toEqual([false, false, false])
    await pass(100)
    expect(settled()).toEqual([true, false, false])
    void acquire(own, 'a', 'again')
    await pass(100)
    expect(settled()).toEqual([true, true, true])
  })

  it('idle() waits for a caller that the store is still being asked about', async () => {
    const { limiter, store, pass } = passingWorld()
    let answer = (): void => {}
    const asking = new Promise<void>(resolve => (answer = resolve))
    const slow = {
      ...otherProcess(store),
      evaluate: async (group: never) => asking.then(() => store.evaluate(group)),
    }
    const own = limiter(api, { store: slow, storeTimeout: '10s' })
    const turn = own.acquire('s')
    const idle = watched(own.idle())
    await pass(20)
    expect([own.waiting, idle.isSettled]).toEqual([0, false])
    answer()
    expect((await turn).allowed).toBe(true)
    await pass(0)
    expect(idle.isSettled).toBe(true)
  })

  it('idle() does not wait for a caller that turns out to be another one', async () => {
    const { limiter, pass } = passingWorld()
    let choose = (): void => {}
    const chosen = new Promise<void>(resolve => (choose = resolve))
    const policy: Policy = { name: 'api', limit: 1, window: 1, burst: 1, keyStrategy: 'user' }
    const own = limiter(async () => chosen.then(() => policy))
    await own.consume({ user: '7' }, { policy })
    const turn = own.acquire(by('7'))
    const [mine, other] = [watched(own.idle({ user: '42' })), watched(own.idle({ user: '7' }))]
    await pass(1)
    expect([mine.isSettled, other.isSettled]).toEqual([false, false])
    choose()
    await pass(1)
    expect([mine.isSettled, other.isSettled]).toEqual([true, false])
    await pass(1000)
    expect(other.isSettled).toBe(true)
    expect((await turn).waitedMs).toBeGreaterThan(900)
  })

  it('idle() resolves when the last caller is sent away: by its signal, the end of the limiter, or a refusal', async () => {
    const { limiter, pass } = passingWorld()
    const own = limiter(api)
    await own.consume('s')
    const leaving = new AbortController()
    const turn = own.acquire('s', { signal: leaving.signal }).catch(() => {})
    const first = watched(own.idle())
    leaving.abort()
    await turn
    await pass(0)
    expect(first.isSettled).toBe(true)

    const tooLong = own.acquire('s', { maxWait: '5ms' })
    await own.idle('s')
    expect((await tooLong).allowed).toBe(false)

    const closed = rejection(own.acquire('s'))
    const last = watched(own.idle())
    await own.close()
    expect(await closed).toMatchObject({ code: 'HALT_E_CLOSED' })
    expect(last.isSettled).toBe(true)
  })
})

describe('hooks', () => {
  it('the hooks hear of each caller that waits, and of its turn with its wait', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const { telemetry, heard } = noting()
    const own = limiter(api, { telemetry })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i, { cost: 1 })
    await pass(200)
    // The first starts at once and does not wait.
    expect(heard).toEqual([
      ['waiting', 'custom:s', { policy: 'api', units: 1, startsInMs: 100 }],
      ['waiting', 'custom:s', { policy: 'api', units: 1, startsInMs: 200 }],
      ['turn', 'custom:s', { policy: 'api', units: 1, waitedMs: 100 }],
      ['turn', 'custom:s', { policy: 'api', units: 1, waitedMs: 200 }],
    ])
  })

  it('the hooks hear of a wait in whole milliseconds, of which the last has begun', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const { telemetry, heard } = noting()
    const own = limiter({ ...api, limit: 3 }, { telemetry })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(700)
    expect(heard.map(([, , told]) => told)).toMatchObject([
      { startsInMs: 334 },
      { startsInMs: 667 },
      { waitedMs: 334 },
      { waitedMs: 667 },
    ])
  })

  it('the hooks have run when the caller goes on', async () => {
    const { limiter, pass } = passingWorld()
    const { telemetry, heard } = noting()
    const own = limiter(api, { telemetry })
    await own.acquire('s')
    const seen: string[] = []
    void own.acquire('s').then(() => seen.push(...heard.map(([event]) => event)))
    await pass(100)
    expect(seen).toEqual(['waiting', 'turn'])
  })

  it('the hooks hear of callers that ask again, and of those behind them', async () => {
    const { limiter, acquire, pass } = passingWorld()
    const { telemetry, heard } = noting()
    const own = limiter({ ...api, limit: 1, algorithm: 'fixed-window', burst: undefined }, { telemetry })
    for (let i = 0; i < 3; i++) void acquire(own, 's', i)
    await pass(2000)
    expect(heard).toEqual([
      ['waiting', 'custom:s', { policy: 'api', units: 1, startsInMs: undefined }],
      ['waiting', 'custom:s', { policy: 'api', units: 1, startsInMs: undefined }],
      ['turn', 'custom:s', { policy: 'api', units: 1, waitedMs: 1000 }],
      ['turn', 'custom:s', { policy: 'api', units: 1, waitedMs: 2000 }],
    ])
  })

  it('a hook may throw, join the line, and close the limiter', async () => {
    const { limiter, pass } = passingWorld()
    const warnings: HaltWarning[] = []
    const more: Promise<unknown>[] = []
    const telemetry: Telemetry = {
      onWaiting: () => {
        throw new Error('broken')
      },
      onTurn: () => {
        if (more.length === 0) more.push(own.acquire('s').catch((error: unknown) => error))
        else more.push(own.close())
      },
    }
    const own = limiter(api, { telemetry, warn: warning => void warnings.push(warning) })
    const turns = [own.acquire('s'), own.acquire('s'), own.acquire('s')]
    await pass(200)
    expect(await Promise.all(turns)).toMatchObject([{ allowed: true }, { allowed: true }, { allowed: true }])
    expect(await more[0]).toMatchObject({ code: 'HALT_E_CLOSED' })
    await Promise.all(more)
    expect(warnings.filter(({ code }) => code === 'HALT_W_TELEMETRY')[0]?.message).toBe(
      'The telemetry hook onWaiting failed: broken.',
    )
  })
})

it('a queue gives line and idle to a limiter of the kernel', async () => {
  const { store } = passingWorld()
  const own = new Limiter({ store, policy: api })
  const turns = queue(own)
  void turns.acquire('s')
  const last = rejection(turns.acquire('s'))
  expect(await turns.line('s')).toEqual({ units: 1, callers: 1, lastStartsInMs: 100 })
  const idle = watched(turns.idle())
  await own.close()
  expect(await last).toMatchObject({ code: 'HALT_E_CLOSED' })
  expect(idle.isSettled).toBe(true)
})

it('close() ends, though a caller that had waited behind another was then answered at once', async () => {
  const { limiter, pass } = passingWorld()
  const own = limiter({ ...api, algorithm: 'fixed-window', limit: 1, burst: undefined })
  const turns = Array.from({ length: 4 }, () => own.acquire('s', { maxWait: '10s' }).catch(() => {}))
  await pass(10)
  expect(own.waiting).toBe(3)
  // The first of those that wait starts, and the next one asks.
  await pass(1000)
  expect(own.waiting).toBe(2)
  const closed = watched(own.close())
  await pass(1)
  expect(closed.isSettled).toBe(true)
  await Promise.all(turns)
})
