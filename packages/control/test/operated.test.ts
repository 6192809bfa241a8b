// What operators set, beside what else a limiter does. README.md lists the pairs.
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'

import { type Policy, PenaltyManager, PolicyRegistry, QuotaManager, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { Control } from '../src/index.ts'
import { world, type World } from '../../core/test/world.ts'

const ANN = { custom: 'ann' } as const
const API: Policy = { name: 'api', limit: 10, window: 3600 }

afterEach(() => void vi.useRealTimers())

/** A world in which an operator acts. */
function operated(): World & { readonly control: Control } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 })
  const own = world()
  vi.setSystemTime(own.clock.now())
  const control = new Control({ store: own.store, warn: warning => void own.warnings.push(warning) })
  onTestFinished(() => control.close())
  return { ...own, control }
}

it('a penalty halves the numbers that an operator gave a client', async () => {
  const { store, limiter, control } = operated()
  const penalty = { threshold: 5, duration: 3600, multiplier: 0.5, decayRate: 1 }
  const api = limiter(API, { control, penalty })
  await control.override(ANN, 'api', { limit: 40 })
  await new PenaltyManager({ store, config: penalty }).applyPenalty(ANN)
  expect(await api.consume(ANN)).toMatchObject({ limit: 20, remaining: 19 })
  await control.revert('api', { identity: ANN })
  expect(await api.consume(ANN)).toMatchObject({ limit: 5, remaining: 3 })
})

it('a blocked client scores no violation', async () => {
  const { store, limiter, control } = operated()
  const penalty = { threshold: 1, duration: 3600, multiplier: 0.5, decayRate: 1, cooldown: 0 }
  const api = limiter(API, { control, penalty })
  await control.block(ANN, { for: '1h' })
  for (let i = 0; i < 5; i++) await api.consume(ANN)
  expect(await new PenaltyManager({ store, config: penalty }).getPenalty(ANN)).toMatchObject({
    violations: 0,
  })
})

it('an operator changes the numbers of a quota and keeps its use, and a block charges nothing to it', async () => {
  const { store, limiter, control } = operated()
  const month: Policy = { name: 'month', limit: 10, period: 'monthly' }
  const api = limiter(month, { control })
  await api.consume({ user: 'ann' }, { cost: 4 })
  await control.change('month', { limit: 6 })
  expect(await api.consume({ user: 'ann' })).toMatchObject({ limit: 6, remaining: 1 })
  await control.block({ user: 'ann' }, { for: '1h' })
  expect(await api.consume({ user: 'ann' })).toMatchObject({ allowed: false, reason: 'blocked' })
  const { quota } = await new QuotaManager(store).checkQuota('ann', month as never)
  expect(quota.used).toBe(5)
})

it('numbers of an operator leave a policy in shadow mode, and a block refuses in it', async () => {
  const { limiter, control } = operated()
  const api = limiter({ ...API, mode: 'shadow' } as Policy, { control })
  await control.change('api', { limit: 1 })
  await api.consume(ANN)
  const decision = await api.consume(ANN)
  expect(decision.allowed).toBe(true)
  expect(decision.verdicts).toMatchObject([{ allowed: false, limit: 1, mode: 'shadow' }])
  await control.block(ANN, { for: '1h' })
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, reason: 'blocked' })
})

it('a repeated call of a client who is blocked meanwhile is refused, and charges nothing when the block is over', async () => {
  const { limiter, control } = operated()
  const api = limiter(API, { control })
  const once = { idempotencyKey: 'order-1' }
  await api.consume(ANN, once)
  await control.block(ANN, { for: '1h' })
  expect((await api.consume(ANN, once)).allowed).toBe(false)
  await control.unblock(ANN)
  expect(await api.consume(ANN, once)).toMatchObject({ allowed: true, cost: 0, remaining: 9 })
})

it('a settlement reaches the counter though the numbers were changed and the client was blocked meanwhile', async () => {
  const { limiter, control } = operated()
  const api = limiter(API, { control })
  const refunded = await api.consume(ANN, { cost: 4 })
  const raised = await api.consume(ANN, { cost: 1 })
  await control.change('api', { limit: 100, burst: 100 })
  await control.block(ANN, { for: '1h' })
  await api.settle(refunded, 0)
  await api.settle(raised, 7)
  await control.unblock(ANN)
  expect((await api.peek(ANN)).remaining).toBe(93)
  await control.revert('api')
  expect((await api.peek(ANN)).remaining).toBe(3)
})

it('a request that is undecided when its client is blocked is charged when it fails, and frees its place', async () => {
  const { limiter, control } = operated()
  const logins: Policy = { name: 'logins', limit: 3, window: 3600, algorithm: 'fixed-window', inFlight: 1 }
  const own = limiter(logins, { control })
  const failed = await own.consume(ANN)
  await control.block(ANN, { for: '1h' })
  await own.conclude(failed, true)
  await own.release(failed)
  await control.unblock(ANN)
  expect((await own.peek(ANN)).verdicts[0]?.remaining).toBe(2)
  expect((await own.consume(ANN)).allowed).toBe(true)
})

it('headroom is a share of the limit that an operator set', async () => {
  const { limiter, control } = operated()
  const batch = limiter({ ...API, headroom: 0.5 } as Policy, { control })
  await control.change('api', { limit: 4, burst: 4 })
  const reasons: string[] = []
  for (let i = 0; i < 3; i++) reasons.push((await batch.consume(ANN)).reason)
  expect(reasons).toEqual(['ok', 'ok', 'reserved'])
})

it('numbers of an operator count before those that the application changes, which hold again afterwards', async () => {
  const { limiter, control } = operated()
  const registry = new PolicyRegistry([API])
  const api = limiter(() => registry.get('api'), { control })
  const limit = async (): Promise<number> => (await api.consume(ANN, { policy: registry.get('api') })).limit
  await control.change('api', { limit: 5 })
  expect(await limit()).toBe(5)
  registry.update('api', { limit: 20 })
  expect(await limit()).toBe(5)
  await control.revert('api')
  expect(await limit()).toBe(20)
})

it('a limiter that is closed leaves the entries of its control to the other limiters', async () => {
  const { limiter, control } = operated()
  const [one, other] = [limiter(API, { control }), limiter({ ...API, name: 'other' } as Policy, { control })]
  await control.block(ANN, { for: '1h' })
  await one.close()
  expect(await other.consume(ANN)).toMatchObject({ allowed: false, reason: 'blocked' })
  await control.unblock(ANN)
  expect((await other.consume(ANN)).allowed).toBe(true)
})

it('a flood of keys takes back no entry of an operator', async () => {
  const store = new InMemoryStore({ maxKeys: 100 })
  const control = new Control({ store })
  onTestFinished(() => control.close())
  const policy: Policy = { name: 'two', limit: 2, window: 3600 }
  const api = new RateLimiter({ store, policy, control, warn: () => undefined })
  await control.block(ANN, { for: '1h' })
  await control.override({ custom: 'bob' }, 'two', { limit: 5 })
  for (let i = 0; i < 500; i++) await api.consume({ custom: `other-${i}` })
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, reason: 'blocked' })
  expect((await api.consume({ custom: 'bob' })).limit).toBe(5)
})
