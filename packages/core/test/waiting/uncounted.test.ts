// Callers that no counter decides, while others wait in a line: the store is away, or they are exempt.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { guard } from '../../src/http/index.ts'
import type { OnStoreError, Policy, RateLimiter } from '../../src/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import { waitingRoom } from '../../src/waiting/lines.ts'
import { view } from '../world.ts'
import { passingWorld } from './passing-world.ts'

const slow: Policy = { name: 'calls', limit: 10, window: 1, burst: 1 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => {
  vi.useRealTimers()
  const { size, alarms } = waitingRoom
  if (size + alarms.size > 0) throw new Error(`${size} callers and ${alarms.size} alarms were left behind.`)
})

/** A line of one caller whose store has gone away. */
async function lineInOutage(onStoreError: OnStoreError, policy: Policy = slow) {
  const own = passingWorld()
  const store = fakeOutage(own.store)
  const limiter = own.limiter(policy, { store, onStoreError, exemptPrivateIps: false })
  await limiter.acquire('s')
  void own.acquire(limiter, 's', 'waits')
  await own.pass(10)
  store.begin('refused')
  return { ...own, limiter, store }
}

describe('while the store is away and others stand in the line', () => {
  const ways: [string, (limiter: RateLimiter) => Promise<unknown>][] = [
    ['acquire', async limiter => (await limiter.acquire('s', { maxWait: '500ms' })).allowed],
    ['run', async limiter => limiter.run('s', ({ allowed }) => allowed, { maxWait: '500ms' })],
    ['consume', async limiter => (await limiter.consume('s')).allowed],
    ['reserve', async limiter => (await limiter.reserve('s')).decision.allowed],
  ]
  for (const [name, ask] of ways)
    it(`onStoreError "open" admits ${name} at once in an outage, and the line goes on`, async () => {
      const { limiter, pass, starts, now } = await lineInOutage('open')
      expect(await ask(limiter)).toBe(true)
      expect(now()).toBe(10)
      await pass(100)
      expect(starts.map(({ name: who, at }) => [who, at])).toEqual([['waits', 100]])
      expect(limiter.waiting).toBe(0)
    })

  it('onStoreError "closed" refuses at once in an outage, and the line goes on', async () => {
    const { limiter, pass, starts } = await lineInOutage('closed')
    expect(await limiter.acquire('s')).toMatchObject({ allowed: false, reason: 'store-error' })
    await expect(limiter.run('s', () => 1)).rejects.toMatchObject({ code: 'HALT_E_LIMITED' })
    await pass(100)
    expect(starts.map(({ at }) => at)).toEqual([100])
    expect(limiter.waiting).toBe(0)
  })

  it('a caller that asks again in the outage is admitted by "open"', async () => {
    const { limiter, acquire, pass, starts } = await lineInOutage('open', {
      name: 'w',
      limit: 1,
      window: 1,
      algorithm: 'fixed-window',
    })
    void acquire(limiter, 's', 'behind')
    await pass(1100)
    expect(starts.map(({ name }) => name)).toEqual(['waits', 'behind'])
    expect(starts.every(({ decision }) => decision.degraded === 'open')).toBe(true)
  })

  it('a request that a guard holds gets the answer of "open"', async () => {
    const own = passingWorld()
    const store = fakeOutage(own.store)
    const limiter = own.limiter(slow, { store, onStoreError: 'open' })
    const held = guard(limiter, { delay: { maxWait: '500ms' } })
    await held.enter(view(), {})
    const waits = held.enter(view(), {})
    await own.pass(10)
    store.begin('refused')
    const outcome = await held.enter(view(), {})
    expect(outcome.decision).toMatchObject({ allowed: true, degraded: 'open' })
    await own.pass(100)
    expect((await waits).decision).toMatchObject({ allowed: true, waitedMs: 100 })
  })
})

describe('while others stand in the line', () => {
  it('an exempt request passes while others stand in the line', async () => {
    const { limiter, pass } = passingWorld()
    const own = limiter({ ...slow, exemptions: ['/free'] })
    const turns = [own.acquire(view()), own.acquire(view())]
    expect(await own.acquire(view({ path: '/free' }))).toMatchObject({ reason: 'exempt', waitedMs: 0 })
    await pass(100)
    expect((await Promise.all(turns)).map(({ waitedMs }) => waitedMs)).toEqual([0, 100])
  })
})

it('a caller that is exempt when its turn has come gives back the unit of the line that it has passed', async () => {
  const { limiter, pass } = passingWorld()
  const both: Policy[] = [
    { ...slow, name: 'slow', limit: 1 },
    { ...slow, name: 'fast', limit: 2 },
  ]
  const off = both.map(policy => ({ ...policy, mode: 'off' as const }))
  let isFree = false
  const own = limiter(() => (isFree ? off : both))
  await own.acquire(view())
  const second = own.acquire(view())
  await pass(10)
  isFree = true
  await pass(990)
  expect(await second).toMatchObject({ reason: 'exempt', waitedMs: 1000 })
  isFree = false
  expect((await own.check(view())).allowed).toBe(true)
})

it('a caller whose decision cannot be used is sent away, and its place is given back', async () => {
  const { limiter, acquire, pass, starts } = passingWorld()
  const own = limiter(slow)
  await own.acquire('s')
  vi.spyOn(waitingRoom.alarms, 'set').mockImplementationOnce(() => {
    throw new Error('broken')
  })
  await expect(own.acquire('s')).rejects.toThrow('broken')
  void acquire(own, 's', 'next')
  await pass(100)
  expect(starts.map(({ at }) => at)).toEqual([100])
  expect(own.waiting).toBe(0)
})
