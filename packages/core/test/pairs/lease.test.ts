// Leases, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { HOT, processes, taken, warm } from '../lease/processes.ts'
import { view } from '../world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('a caller that waits asks the store, and starts within the limit though a process holds units', async () => {
  const bucket = {
    name: 'hot',
    limit: 100,
    window: 1,
    burst: 100,
    lease: { share: 0.2, idle: '50ms' },
  } as const
  const hot = processes(2, { ...bucket, keyStrategy: 'shared' })
  for (let i = 0; i < 60; i++) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  const began = hot.now()
  const turns = Array.from({ length: 100 }, (_, i) =>
    hot.acquire(hot.limiters[1]!, 's', i, { maxWait: '5s' }),
  )
  await hot.pass(2_000)
  await Promise.all(turns)
  expect(hot.starts).toHaveLength(100)
  const used = [...hot.uses.filter(({ allowed }) => allowed), ...hot.starts].map(({ at }) => at)
  // In any interval: the capacity, and what is paid back meanwhile.
  for (const from of used) {
    const within = (ms: number): number => used.filter(at => at >= from && at < from + ms).length
    for (const ms of [1, 100, 500]) expect(within(ms)).toBeLessThanOrEqual(100 + ms / 10)
  }
  expect(hot.starts.at(-1)!.at - began).toBeLessThan(1_500)
})

it('a guard with delay holds requests of a leased policy within its limit', async () => {
  const bucket = {
    name: 'hot',
    limit: 10,
    window: 1,
    burst: 50,
    lease: { share: 0.2, idle: '50ms' },
  } as const
  const hot = processes(1, { ...bucket, keyStrategy: 'shared' })
  const patient = guard(hot.limiters[0]!, { delay: { maxWait: '2s' } })
  const starts: number[] = []
  const send = async (): Promise<void> => {
    if ((await patient.enter(view(), {})).pass) starts.push(hot.now())
  }
  const sent = Array.from({ length: 65 }, send)
  await hot.pass(2_000)
  await Promise.all(sent)
  expect(starts).toHaveLength(65)
  expect(starts.filter(at => at < 1_000).length).toBeLessThanOrEqual(60)
})

it('units of a leased quota that a process holds do not pass the end of the period', async () => {
  const hourly: Policy = { name: 'q', limit: 200, period: 'hourly', lease: { share: 0.1, idle: '10s' } }
  const hot = processes(1, { ...hourly, keyStrategy: 'shared' } as Policy)
  hot.clock.advance(3599.9)
  await warm(hot)
  await hot.pass(100)
  const before = hot.uses.length
  for (let i = 0; i < 300; i++) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  const after = hot.uses.slice(before).filter(({ allowed }) => allowed)
  expect(after).toHaveLength(200)
})

it('a leased policy in shadow mode takes no units, and refuses nobody', async () => {
  const hot = processes(1, { ...HOT, limit: 20, mode: 'shadow' } as Policy)
  for (let i = 0; i < 60; i++) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  expect(hot.uses.every(({ allowed, isLocal }) => allowed && !isLocal)).toBe(true)
  expect(taken(hot.groups).takes).toBe(0)
})

it('a call with an idempotency key asks the store, and is charged once though a process holds units', async () => {
  const hot = processes(1, HOT)
  await warm(hot)
  const limiter = hot.limiters[0]!
  const once = { idempotencyKey: 'order-1', cost: 5 }
  const first = await limiter.consume('s', once)
  const again = await limiter.consume('s', once)
  expect([first.cost, again.allowed, again.cost]).toEqual([5, true, 0])
  await limiter.close()
  const { lease: _, ...exact } = HOT as { lease: unknown }
  expect((await hot.limiter(exact as Policy).peek('s')).remaining).toBe(200 - 30 - 5)
})

it('a check that charges nothing asks the store, though a process holds units', async () => {
  const hot = processes(1, HOT)
  await warm(hot)
  await hot.use(0, 0)
  expect(hot.uses.at(-1)).toMatchObject({ allowed: true, isLocal: false })
})

it('a request that leaves headroom asks the store, and leaves its share though a process holds units', async () => {
  const hot = processes(1, HOT)
  await warm(hot)
  const limiter = hot.limiters[0]!
  const batch = { ...HOT, headroom: 0.5 } as Policy
  let admitted = 0
  while ((await limiter.consume('s', { policy: batch })).allowed) admitted++
  await limiter.close()
  expect(admitted).toBeLessThanOrEqual(70)
  // Units that the process held counted as used, and are given back.
  expect(30 + admitted).toBeGreaterThanOrEqual(100 - 20)
})
