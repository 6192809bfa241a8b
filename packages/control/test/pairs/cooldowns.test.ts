// A cool-down on a counter of a policy that has no `blockDuration`, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { type Decision, PenaltyManager, type RateLimiter, type RatePolicy } from '@halt/core'
import { guard } from '@halt/core/http'
import { fakeOutage } from '@halt/core/testing'
import { processes, warm } from '../../../core/test/lease/processes.ts'
import { passingWorld } from '../../../core/test/waiting/passing-world.ts'
import { mistake, view, world } from '../../../core/test/world.ts'
import { controlOf } from '../control-of.ts'

const ANN = { user: 'ann' } as const
const API: RatePolicy = { name: 'api', limit: 10, window: '10d', keyStrategy: 'user' }
/** The policy of another plan, which counts on the same counter and blocks. */
const BLOCKING: RatePolicy = { ...API, blockDuration: '1h' }
const EVEN: RatePolicy = { name: 'calls', limit: 10, window: 1, burst: 1 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

/** Spends a limit by another plan and asks once more, which starts a cool-down of the counter. Gives what was spent back. */
async function block(limiter: RateLimiter, units = 10, identity: { user: string } = ANN): Promise<Decision> {
  const spent = await limiter.consume(identity, { cost: units })
  expect((await limiter.consume(identity)).reason).toBe('limited')
  return spent
}

it('a cool-down of another plan stops a counter that tenants share, and their shares go on after it', async () => {
  const { clock, limiter } = world()
  const pool: RatePolicy = { name: 'pool', limit: 100, window: 1, burst: 40, keyStrategy: 'shared' }
  const own = limiter({ ...pool, fair: { by: 'user' } })
  const other = limiter({ ...pool, blockDuration: '10s' })
  for (let i = 0; i < 20; i++) await own.consume({ user: 'a' })
  const spent = await other.consume({ user: 'a' }, { cost: 20 })
  expect((await other.consume({ user: 'a' })).reason).toBe('limited')
  await other.settle(spent, 0)
  for (const user of ['a', 'b']) {
    const refused = await own.consume({ user })
    expect(refused).toMatchObject({ allowed: false, remaining: 0, retryAfter: 10 })
  }
  expect((await own.peek({ user: 'c' })).retryAfterMs).toBe(10_000)
  clock.advance(9.999)
  expect((await own.consume({ user: 'b' })).allowed).toBe(false)
  clock.advance(0.001)
  let admitted = 0
  while ((await own.consume({ user: admitted % 2 === 0 ? 'b' : 'a' })).allowed) admitted++
  expect(admitted).toBeGreaterThanOrEqual(20)
  expect(admitted).toBeLessThanOrEqual(40)
})

it('a blockDuration that an operator sets on a fair policy is warned of, and blocks no tenant', async () => {
  const own = world()
  const control = controlOf(own)
  const pool: RatePolicy = { name: 'pool', limit: 4, window: '1h', keyStrategy: 'shared' }
  const limiter = own.limiter({ ...pool, fair: { by: 'user' } }, { control })
  await control.change('pool', { blockDuration: '1h' })
  for (let i = 0; i < 4; i++) expect((await limiter.consume({ user: 'a' })).allowed).toBe(true)
  await limiter.consume({ user: 'a' })
  own.clock.advance('30m')
  expect((await limiter.consume({ user: 'b' })).allowed).toBe(true)
  expect(own.codes()).toContain('HALT_W_CONTROL_NUMBERS')
  expect(mistake(() => own.limiter({ ...pool, fair: { by: 'user' }, blockDuration: 1 })).code).toBe(
    'HALT_E_FAIR',
  )
})

it('a cool-down of another plan freezes the line of a policy without one within a look, and all start as much later, in order', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const other = own.limiter({ ...EVEN, blockDuration: '2s' })
  const turns = Array.from({ length: 20 }, (_, name) => own.acquire(limiter, 'x', name, { maxWait: '1h' }))
  await own.pass(150)
  expect((await other.consume('x')).allowed).toBe(false)
  await own.pass(5_000)
  await Promise.all(turns)
  expect(own.starts.map(({ name }) => name)).toEqual(turns.map((_, i) => i))
  const late = own.starts.filter(({ at }) => at > 150 + 1_000)
  // The line stands still from the look on, and goes on where the others are paid.
  expect(late.length).toBeGreaterThanOrEqual(8)
  expect(late[0]!.at).toBeGreaterThanOrEqual(2_150)
  for (const [i, { at }] of late.slice(1).entries()) expect(at - late[i]!.at).toBeGreaterThanOrEqual(99)
  expect(own.starts.at(-1)!.at).toBeLessThanOrEqual(3_910)
  await own.pass(3_000)
  expect((await limiter.explain('x')).policies[0]?.line).toBeUndefined()
})

it('a cool-down by another plan reaches a process that holds units of a lease within idle', async () => {
  const hot: RatePolicy = {
    name: 'hot',
    limit: 200,
    window: '10m',
    algorithm: 'fixed-window',
    keyStrategy: 'shared',
  }
  const leased = processes(1, { ...hot, lease: { share: 0.1, idle: '100ms' } })
  await warm(leased)
  const other = leased.limiter({ ...hot, limit: 5, blockDuration: '10s' })
  expect((await other.consume('s')).reason).toBe('limited')
  await leased.pass(101)
  for (let i = 0; i < 20; i++) {
    void leased.use(0, 1)
    await leased.pass(1)
  }
  expect(leased.uses.slice(30).filter(({ allowed }) => allowed)).toEqual([])
  await leased.pass(10_000)
  void leased.use(0, 1)
  await leased.pass(1)
  expect(leased.uses.at(-1)?.allowed).toBe(true)
})

it('a cool-down that an operator’s blockDuration started runs on to its end when it is taken back, and none starts then', async () => {
  const own = world()
  const control = controlOf(own)
  const api = own.limiter(API, { control })
  await control.change('api', { blockDuration: '1h' })
  const spent = await block(api)
  await control.revert('api')
  await api.settle(spent, 9)
  own.clock.advance(3599)
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 1 })
  own.clock.advance(1)
  expect((await api.consume(ANN)).allowed).toBe(true)
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, reason: 'limited' })
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, reason: 'limited' })
})

it('a cool-down of another plan runs to its end under a penalty, whose numbers hold after it', async () => {
  const { clock, store, limiter } = world()
  const penalty = { threshold: 100, duration: '1d', multiplier: 0.5, decayRate: 0 } as const
  const api = limiter(API, { penalty })
  const other = limiter(BLOCKING)
  await other.settle(await block(other), 0)
  const penalties = new PenaltyManager({ store, config: penalty })
  await penalties.applyPenalty(ANN)
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  await penalties.clearPenalty(ANN)
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  await penalties.applyPenalty(ANN)
  clock.advance('1h')
  expect(await api.consume(ANN)).toMatchObject({ allowed: true, limit: 5, remaining: 4 })
})

it('a cool-down of another plan is reported by a policy in shadow mode, which refuses nobody and starts none', async () => {
  const { clock, limiter } = world()
  const shadow = limiter({ ...API, mode: 'shadow' })
  const other = limiter(BLOCKING)
  await other.settle(await block(other), 9)
  const decision = await shadow.consume(ANN)
  expect(decision.allowed).toBe(true)
  expect(decision.verdicts).toMatchObject([{ allowed: false, mode: 'shadow' }])
  clock.advance('1h')
  expect((await shadow.consume(ANN)).verdicts).toMatchObject([{ allowed: true, remaining: 0 }])
  await shadow.consume(ANN)
  expect(await limiter(API).consume(ANN)).toMatchObject({ allowed: false, reason: 'limited' })
})

it('a repeated call passes in a cool-down of another plan and charges nothing, and a new one is refused', async () => {
  const { clock, limiter } = world()
  const api = limiter(API)
  await api.consume(ANN, { idempotencyKey: 'before' })
  const other = limiter(BLOCKING)
  await other.settle(await block(other, 9), 0)
  expect((await api.consume(ANN, { idempotencyKey: 'new' })).allowed).toBe(false)
  expect(await api.consume(ANN, { idempotencyKey: 'before' })).toMatchObject({ allowed: true, cost: 0 })
  clock.advance('1h')
  expect(await api.consume(ANN, { idempotencyKey: 'new' })).toMatchObject({ allowed: true, remaining: 8 })
})

it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
  'settlements and refunds reach a counter in a cool-down of another plan, and end nothing of it: %s',
  async algorithm => {
    const { clock, limiter } = world()
    const api = limiter({ ...API, algorithm })
    const [more, less] = [await api.consume(ANN), await api.consume(ANN, { cost: 6 })]
    await block(limiter({ ...BLOCKING, algorithm }), 3)
    await api.settle(more, 3)
    await api.settle(less, 0)
    expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
    // Three of the one call, three of the other plan, and the present one.
    clock.advance('1h')
    expect(await api.consume(ANN)).toMatchObject({ allowed: true, remaining: 3 })
  },
)

it('a guard with delay holds requests through a cool-down of another plan, or refuses them at once where it is too long', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const patient = guard(limiter, { delay: { maxWait: '3s' } })
  const passed: number[] = []
  const enter = async (i: number): Promise<void> => {
    if ((await patient.enter(view(), {})).pass) passed.push(i)
  }
  const held = [0, 1].map(enter)
  await own.pass(50)
  await own.limiter({ ...EVEN, blockDuration: '1s' }).check(view())
  held.push(enter(2))
  await own.pass(950)
  expect(passed).toEqual([0])
  await own.pass(400)
  await Promise.all(held)
  expect(passed).toEqual([0, 1, 2])
  const strict = own.limiter({ ...EVEN, blockDuration: '1h' })
  await strict.check(view())
  await strict.check(view())
  expect(await patient.enter(view(), {})).toMatchObject({ pass: false, status: 429 })
})

it('a request that is undecided when a cool-down of another plan begins is charged when it fails', async () => {
  const { clock, limiter } = world()
  const logins = { ...API, algorithm: 'fixed-window', limit: 3, inFlight: 1 } as RatePolicy
  const own = limiter(logins)
  const failed = await own.consume(ANN)
  const other = limiter({ ...BLOCKING, algorithm: 'fixed-window', limit: 1 })
  await other.settle(await block(other, 1), 0)
  await own.conclude(failed, true)
  await own.release(failed)
  expect(await own.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  clock.advance('1h')
  expect((await own.peek(ANN)).verdicts[0]?.remaining).toBe(2)
  expect((await own.consume(ANN)).allowed).toBe(true)
})

it('a request that leaves headroom waits for the end of a cool-down of another plan, and starts none', async () => {
  const { clock, limiter } = world()
  const batch = limiter({ ...API, headroom: 0.5 })
  const other = limiter(BLOCKING)
  await other.settle(await block(other), 4)
  expect(await batch.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  clock.advance('1h')
  expect((await batch.consume(ANN)).allowed).toBe(true)
  expect((await batch.consume(ANN)).reason).toBe('reserved')
  expect((await limiter(API).consume(ANN)).allowed).toBe(true)
})

it('a reset ends a cool-down of another plan at once, in the process that knew of it too', async () => {
  const { limiter } = world()
  const api = limiter(API)
  const other = limiter(BLOCKING)
  await other.settle(await block(other), 0)
  for (let i = 0; i < 3; i++) expect((await api.consume(ANN)).retryAfter).toBe(3600)
  expect(await api.reset(ANN)).toBe(1)
  expect(await api.consume(ANN)).toMatchObject({ allowed: true, remaining: 9 })
  expect(await limiter(BLOCKING).consume(ANN)).toMatchObject({ allowed: true, remaining: 8 })
})

it('a cool-down runs on to its end when a deploy takes blockDuration out of the policy, whatever else it changes', async () => {
  const { clock, limiter } = world()
  let policy = BLOCKING
  const api = limiter(() => policy)
  const consume = (cost = 1): ReturnType<typeof api.consume> => api.consume(ANN, { policy, cost })
  await consume(10)
  expect((await consume()).reason).toBe('limited')
  policy = { ...API, limit: 1000 }
  expect(await consume()).toMatchObject({ allowed: false, retryAfter: 3600 })
  clock.advance('1h')
  expect(await consume()).toMatchObject({ allowed: true, limit: 1000 })
  await consume(980)
  expect(await consume(100)).toMatchObject({ allowed: false, reason: 'limited' })
  expect((await consume()).allowed).toBe(true)
})

it('a cool-down of another plan holds in this process while the store is away, and no other client has it', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const api = own.limiter(API, { store })
  const other = own.limiter(BLOCKING)
  await other.settle(await block(other), 0)
  expect((await api.consume(ANN)).retryAfter).toBe(3600)
  store.begin('refused')
  const refused = await api.consume(ANN)
  expect(refused).toMatchObject({ allowed: false, degraded: 'local' })
  expect(refused.retryAfter).toBeGreaterThanOrEqual(3600)
  expect(await api.consume({ user: 'bob' })).toMatchObject({ allowed: true, degraded: 'local' })
  store.end()
  expect(await own.limiter(API).consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
})

it('a cool-down of a limiter that was closed holds in one that follows without blockDuration', async () => {
  const { clock, limiter } = world()
  const before = limiter(BLOCKING)
  await before.settle(await block(before), 0)
  await before.close()
  const after = limiter(API)
  expect(await after.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  await after.close()
  clock.advance('1h')
  expect((await limiter(API).consume(ANN)).allowed).toBe(true)
})
