// Policies with inFlight, whose cost is taken when the application has decided, beside what else a limiter does. README.md lists
// the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { type Policy, PolicyRegistry, type RateLimiter } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { view, world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const LOGINS: Policy = { name: 'logins', limit: 3, window: 3600, algorithm: 'fixed-window', inFlight: 1 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const left = async (limiter: RateLimiter): Promise<number | undefined> =>
  (await limiter.peek(ANN)).verdicts[0]?.remaining

it('a caller that waits for an undecided request starts when that is concluded, and both are charged once', async () => {
  const { limiter, acquire, starts, pass } = passingWorld()
  const own = limiter(LOGINS)
  const first = await own.consume(ANN)
  const turn = acquire(own, ANN, 'second', { maxWait: '10s' })
  await pass(200)
  expect(starts).toEqual([])
  await own.conclude(first, true)
  await own.release(first)
  await pass(60)
  await turn
  expect(starts).toHaveLength(1)
  await own.conclude(starts[0]!.decision, true)
  await own.release(starts[0]!.decision)
  expect(await left(own)).toBe(1)
})

it('a guard with delay holds a request until an undecided one is concluded', async () => {
  const { limiter, pass } = passingWorld()
  const patient = guard(limiter(LOGINS), { delay: { maxWait: '10s' } })
  const first = await patient.enter(view(), {})
  let passed: boolean | undefined
  const turn = Promise.resolve(patient.enter(view(), {})).then(outcome => void (passed = outcome.pass))
  await pass(100)
  expect(passed).toBeUndefined()
  patient.leave(first, undefined as never)
  await pass(60)
  await turn
  expect(passed).toBe(true)
})

it('a request that leaves headroom counts those that are undecided', async () => {
  const { limiter } = world()
  const wide = { ...LOGINS, limit: 4, inFlight: 4 } as Policy
  const batch = limiter({ ...wide, headroom: 0.5 } as Policy)
  const decisions = [await batch.consume(ANN), await batch.consume(ANN)]
  for (const decision of decisions) {
    await batch.conclude(decision, true)
    await batch.release(decision)
  }
  expect((await batch.consume(ANN)).allowed).toBe(false)
  expect((await limiter(wide).consume(ANN)).allowed).toBe(true)
})

it('a reset while a request is undecided charges it when it fails, and never twice', async () => {
  const { limiter } = world()
  const own = limiter(LOGINS)
  const undecided = await own.consume(ANN)
  await own.reset(ANN)
  expect(await left(own)).toBe(3)
  await own.conclude(undecided, true)
  await own.release(undecided)
  expect(await left(own)).toBe(2)
  expect((await own.consume(ANN)).allowed).toBe(true)
})

it('a raised number of undecided requests counts those that are undecided already, and a lowered one too', async () => {
  const { limiter } = world()
  const registry = new PolicyRegistry([LOGINS])
  const own = limiter(() => registry.get('logins'))
  const consume = (): ReturnType<typeof own.consume> => own.consume(ANN, { policy: registry.get('logins') })
  const first = await consume()
  expect((await consume()).allowed).toBe(false)
  registry.update('logins', { inFlight: 2 } as never)
  expect([(await consume()).allowed, (await consume()).allowed]).toEqual([true, false])
  registry.update('logins', { inFlight: 1 } as never)
  await own.conclude(first, false)
  await own.release(first)
  expect((await consume()).allowed).toBe(false)
})

it('a request that is concluded in an outage is charged after it, and its place is free', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const limiter = own.limiter(LOGINS, { store })
  const [failed] = [await limiter.consume(ANN)]
  store.begin('refused')
  await limiter.conclude(failed!, true)
  await limiter.release(failed!)
  store.end()
  // A correction that the store refused is sent again within half a second.
  await vi.advanceTimersByTimeAsync(2_000)
  for (let i = 0; i < 20 && (await limiter.peek(ANN)).degraded !== false; i++)
    await vi.advanceTimersByTimeAsync(500)
  expect(await left(limiter)).toBe(2)
  expect((await limiter.consume(ANN)).allowed).toBe(true)
})
