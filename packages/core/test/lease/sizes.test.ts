// How many units a process takes in advance, and for how long it may use them.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { RatePolicy } from '../../src/index.ts'
import { processes, type Processes, taken } from './processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const LIMIT = 100_000
const policy: RatePolicy = {
  name: 'hot',
  limit: LIMIT,
  window: '10m',
  algorithm: 'fixed-window',
  lease: { share: 0.1, idle: '2s' },
}

/** The units that processes hold: those that the store has charged, without those that were admitted. */
async function held(hot: Processes): Promise<number> {
  const { lease: _, ...exact } = policy
  const { remaining } = await hot.limiter(exact).peek('s')
  return LIMIT - remaining - used(hot)
}

function used({ uses }: Processes): number {
  return uses.filter(({ allowed }) => allowed).reduce((sum, { units }) => sum + units, 0)
}

it('a process never holds more than its share, however much it is asked for', async () => {
  const hot = processes(1, policy)
  let most = 0
  for (let ms = 0; ms < 40; ms++) {
    for (let i = 0; i < 5; i++) {
      void hot.use(0, 100)
      await hot.pass(0)
      most = Math.max(most, await held(hot))
    }
    await hot.pass(1)
  }
  // It was asked for enough to fill its share.
  expect(most).toBeGreaterThan(0.08 * LIMIT)
  expect(most).toBeLessThanOrEqual(0.1 * LIMIT)
})

it('the units that a process takes of a bucket, and those that it pays back while they are held, are its share together', async () => {
  // It pays back all in ten seconds, so a twentieth of it while units are held.
  const bucket: RatePolicy = { name: 'hot', limit: LIMIT, window: 10, lease: { share: 0.1, idle: '500ms' } }
  const hot = processes(1, bucket)
  for (let ms = 0; ms < 40; ms++) {
    void hot.use(0, 500)
    await hot.pass(1)
  }
  const takes = hot.groups.map(({ demands }) => demands[0]!).filter(({ terms }) => terms?.least !== undefined)
  const most = Math.max(...takes.map(({ cost }) => cost))
  expect(takes.map(({ terms }) => terms!.keptFor)).toContain(500_000)
  expect(most).toBeGreaterThan(0.04 * LIMIT)
  expect(most).toBeLessThanOrEqual(0.05 * LIMIT)
})

it('processes hold about half of what is left together, however large the share of each', async () => {
  const hot = processes(4, { ...policy, lease: { share: 0.5, idle: '2s' } })
  let most = 0
  for (let i = 0; i < 6; i++)
    for (let process = 0; process < 4; process++) {
      void hot.use(process, 2000)
      await hot.pass(1)
      most = Math.max(most, (await held(hot)) / (LIMIT - used(hot)))
    }
  expect(most).toBeGreaterThan(0.3)
  expect(most).toBeLessThan(0.6)
})

it('a process takes no units in advance that would spare fewer than four calls, whatever a call costs', async () => {
  const hot = processes(1, policy)
  // About one call a second: what it is likely to need in two seconds is one call more.
  for (let i = 0; i < 8; i++) {
    void hot.use(0, 100)
    await hot.pass(900)
  }
  expect(taken(hot.groups)).toEqual({ takes: 0, returns: 0, exact: 8 })
})

it('units that are held may be used to the last millisecond of idle, and are given back then', async () => {
  const hot = processes(1, policy)
  const takes = (): number => taken(hot.groups).takes
  while (takes() === 0) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  // The call was sent within the last millisecond.
  await hot.pass(1998)
  await hot.use(0, 1)
  expect(hot.uses.at(-1)).toMatchObject({ allowed: true, isLocal: true })
  expect(taken(hot.groups).returns).toBe(0)
  await hot.pass(2)
  expect(taken(hot.groups).returns).toBe(1)
})

it('units of a bucket are held for half of the share of the time that pays its capacity back', async () => {
  // Three units a second pay 300 back in 100 s, of which a twentieth is 5 s.
  const lease = { share: 0.1, idle: '10s' } as const
  const hot = processes(1, { name: 'hot', limit: 3, window: 1, burst: 300, lease })
  while (taken(hot.groups).takes === 0) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  hot.clock.advance(5.02)
  await vi.advanceTimersByTimeAsync(5020)
  await hot.use(0, 1)
  expect(hot.uses.at(-1)).toMatchObject({ allowed: true, isLocal: false })
})
