// Penalties, beside what else a limiter does. README.md lists the pairs.
import { afterEach, expect, it, vi } from 'vitest'

import { type Policy, PenaltyManager, PolicyRegistry } from '../../src/index.ts'
import { guard, type Outcome } from '../../src/http/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { view, world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const API: Policy = { name: 'api', limit: 10, window: 3600, algorithm: 'fixed-window' }
const PENALTY = { threshold: 1, duration: 600, multiplier: 0.5, decayRate: 1, cooldown: 0 } as const

afterEach(() => void vi.useRealTimers())

it('a repeated call is neither charged nor scored under a penalty, and a new one is', async () => {
  const { store, limiter } = world()
  const api = limiter({ ...API, limit: 4 } as Policy, { penalty: { ...PENALTY, threshold: 2 } })
  const penalties = new PenaltyManager({ store, config: PENALTY })
  const once = { idempotencyKey: 'order-1' }
  await api.consume(ANN, { ...once, cost: 2 })
  await penalties.applyPenalty(ANN)
  // Under the penalty two units are the whole limit.
  expect(await api.consume(ANN, { ...once, cost: 2 })).toMatchObject({ allowed: true, cost: 0 })
  expect((await penalties.getPenalty(ANN)).violations).toBe(0)
  expect((await api.consume(ANN, { idempotencyKey: 'order-2' })).allowed).toBe(false)
  expect((await penalties.getPenalty(ANN)).violations).toBe(1)
})

it('a refund counts the same units whether a penalty began or ended since the charge', async () => {
  const { clock, store, limiter } = world()
  const api = limiter(API, { penalty: PENALTY })
  const penalties = new PenaltyManager({ store, config: PENALTY })
  const before = await api.consume(ANN, { cost: 3 })
  await penalties.applyPenalty(ANN)
  const during = await api.consume(ANN, { cost: 2 })
  await api.settle(before, 1)
  expect((await api.peek(ANN)).remaining).toBe(2)
  clock.advance(601)
  await api.settle(during, 0)
  expect(await api.peek(ANN)).toMatchObject({ limit: 10, remaining: 9 })
})

it('a request that is held scores no violation, and one that is refused at once scores one', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  const { store, limiter, pass } = passingWorld()
  const slow: Policy = { name: 'slow', limit: 10, window: 1, burst: 1 }
  const penalty = { ...PENALTY, threshold: 5 }
  const patient = guard(limiter(slow, { penalty }), { delay: { maxWait: '150ms' } })
  const penalties = new PenaltyManager({ store, config: penalty })
  const outcomes: Outcome[] = []
  const send = async (): Promise<void> => void outcomes.push(await patient.enter(view(), {}))
  const both = [send(), send()]
  await pass(120)
  await Promise.all(both)
  expect(outcomes.map(({ pass: passes }) => passes)).toEqual([true, true])
  expect((await penalties.getPenalty({ ip: view().ip! })).violations).toBe(0)
  const more = [send(), send(), send()]
  await pass(300)
  await Promise.all(more)
  const refused = outcomes.filter(({ pass: passes }) => !passes).length
  expect(refused).toBeGreaterThan(0)
  expect((await penalties.getPenalty({ ip: view().ip! })).violations).toBe(refused)
})

it('a request that is refused because others are undecided scores a violation, and the others are charged as before', async () => {
  const { store, limiter } = world()
  const logins = { ...API, name: 'logins', limit: 8, inFlight: 2 } as Policy
  const own = limiter(logins, { penalty: PENALTY })
  const undecided = [await own.consume(ANN), await own.consume(ANN)]
  expect((await own.consume(ANN)).allowed).toBe(false)
  const penalties = new PenaltyManager({ store, config: PENALTY })
  expect(await penalties.getPenalty(ANN)).toMatchObject({ violations: 1, isActive: true })
  for (const decision of undecided) await own.conclude(decision, true)
  expect((await own.peek(ANN)).verdicts[0]).toMatchObject({ limit: 4, remaining: 2 })
})

it('a penalty takes its share of the limit in force', async () => {
  const { store, limiter } = world()
  const registry = new PolicyRegistry([API])
  const api = limiter(() => registry.get('api'), { penalty: PENALTY })
  const consume = (): ReturnType<typeof api.consume> => api.consume(ANN, { policy: registry.get('api') })
  await new PenaltyManager({ store, config: PENALTY }).applyPenalty(ANN)
  expect(await consume()).toMatchObject({ limit: 5, remaining: 4 })
  registry.update('api', { limit: 40 })
  expect(await consume()).toMatchObject({ limit: 20, remaining: 18 })
  registry.update('api', { limit: 4 })
  expect(await consume()).toMatchObject({ allowed: false, limit: 2 })
})

it('a penalty holds after an outage of the store, to its second', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const api = own.limiter(API, { store, penalty: PENALTY })
  await new PenaltyManager({ store, config: PENALTY }).applyPenalty(ANN)
  expect((await api.consume(ANN)).limit).toBe(5)
  store.begin('refused')
  expect((await api.consume(ANN)).degraded).toBe('local')
  store.end()
  const next = await api.consume(ANN)
  expect(next).toMatchObject({ degraded: false, limit: 5 })
  own.clock.advance(600)
  expect((await api.consume(ANN)).limit).toBe(10)
})

it('a penalty holds in the limiter that follows one that was closed', async () => {
  const { store, limiter } = world()
  const before = limiter(API, { penalty: PENALTY })
  await new PenaltyManager({ store, config: PENALTY }).applyPenalty(ANN)
  await before.close()
  expect((await limiter(API, { penalty: PENALTY }).consume(ANN)).limit).toBe(5)
})
