// Counters that tenants share fairly, beside what else a limiter does. README.md lists the pairs.
import { expect, it } from 'vitest'

import { PenaltyManager, type Quota, RateLimiter, type RatePolicy } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { aWorld, inVirtualTime, perSecond } from '../line/rows.ts'
import { by, type Options, world } from '../world.ts'

inVirtualTime()

const BACKEND: RatePolicy = {
  name: 'backend',
  limit: 100,
  window: 1,
  burst: 40,
  keyStrategy: 'shared',
  fair: { by: 'user' },
}
const DAY: Quota = { name: 'day', limit: 45, period: 'daily', keyStrategy: 'user' }
const OPTIONS = { exemptPrivateIps: false } satisfies Options

/** A limiter whose tenant `a` has taken all, so that it is not its turn when some units are back. */
async function pressed(
  policy: RatePolicy | readonly (RatePolicy | Quota)[] = BACKEND,
  options: Options = {},
) {
  const { clock, store, limiter: make } = world()
  const limiter = make(policy as never, { ...OPTIONS, ...options })
  for (let i = 0; i < 40; i++) await limiter.consume({ user: 'a' })
  clock.advance('100ms')
  return { clock, store, limiter, make }
}

const isTurn = async (limiter: RateLimiter, user: string): Promise<boolean> =>
  (await limiter.peek({ user })).allowed

it('a call that holds a budget is charged in the pool and holds the budget, or neither', async () => {
  const { limiter } = await pressed([BACKEND, { ...DAY, limit: 1000 }])
  const before = (await limiter.peek({ user: 'a' })).verdicts[1]!.remaining
  const refused = await limiter.reserve({ user: 'a' }, { cost: 2, ttl: '1m' })
  expect(refused.decision.reason).toBe('fair-share')
  expect((await limiter.peek({ user: 'a' })).verdicts[1]!.remaining).toBe(before)
  const call = await limiter.reserve({ user: 'b' }, { cost: 2, ttl: '1m' })
  expect(call.decision.allowed).toBe(true)
  await call.cancel()
  expect((await limiter.peek({ user: 'b' })).verdicts[1]!.remaining).toBe(1000)
  await limiter.close()
})

it('a penalty of a tenant tightens no counter that tenants share', async () => {
  const { store, make } = await pressed()
  const penalty = { threshold: 1, duration: 60, multiplier: 0.5, decayRate: 0 }
  const limiter = make(BACKEND, { ...OPTIONS, penalty } as Options)
  await new PenaltyManager({ store, config: penalty }).applyPenalty({ user: 'b' })
  expect((await limiter.consume({ user: 'b' })).limit).toBe(100)
})

it('a quota beside a shared bucket is charged only where the tenant has its turn', async () => {
  const { limiter } = await pressed([BACKEND, DAY])
  const left = async (): Promise<number> =>
    (await limiter.peek({ user: 'a' })).verdicts.find(({ policy }) => policy === 'day')!.remaining
  expect(await left()).toBe(5)
  expect((await limiter.consume({ user: 'a' })).reason).toBe('fair-share')
  expect(await left()).toBe(5)
})

it('a fair policy that only reports is charged on its pool and on the share, or on neither', async () => {
  const { limiter } = await pressed({ ...BACKEND, mode: 'shadow' })
  const before = (await limiter.peek({ user: 'a' })).verdicts[0]!.remaining
  const reported = await limiter.consume({ user: 'a' })
  expect(reported.allowed).toBe(true)
  expect(reported.verdicts[0]).toMatchObject({ allowed: false, reason: 'fair-share', mode: 'shadow' })
  expect((await limiter.peek({ user: 'a' })).verdicts[0]!.remaining).toBe(before)
})

it('a call whose key was seen takes no second turn', async () => {
  const { clock, limiter } = await pressed()
  const call = (): Promise<unknown> => limiter.consume({ user: 'b' }, { idempotencyKey: 'k' })
  await call()
  const once = (await limiter.peek({ user: 'b' })).verdicts[0]!.remaining
  for (let i = 0; i < 5; i++) expect(await call()).toMatchObject({ allowed: true })
  expect((await limiter.peek({ user: 'b' })).verdicts[0]!.remaining).toBe(once)
  clock.advance('1ms')
})

it('a guard that delays requests passes those of a quiet tenant before the backlog of a loud one', async () => {
  const world = await aWorld({ ...perSecond(10), keyStrategy: 'shared', fair: { by: 'user' } } as never)
  const { limiter } = world.processes[0]!
  const delaying = guard(limiter as never, { delay: { maxWait: '5s' } })
  const passed: string[] = []
  const enter = async (user: string): Promise<void> => {
    const { pass } = await delaying.enter(by(user), {})
    passed.push(pass ? user : `${user} refused`)
  }
  for (let i = 0; i < 10; i++) void enter('loud')
  await world.pass(10)
  for (let i = 0; i < 2; i++) void enter('quiet')
  await world.pass(2000)
  expect(passed.slice(6)).toEqual(Array(6).fill('loud'))
  expect(passed.slice(0, 6).filter(user => user === 'quiet')).toHaveLength(2)
})

it('a request that is undecided takes nothing of a shared bucket, and its whole cost of its tenant’s share once it is concluded', async () => {
  const { clock, limiter: make } = world()
  const limiter = make({ ...BACKEND, inFlight: 50 } as RatePolicy, OPTIONS)
  const left = async (user: string): Promise<number> => (await limiter.peek({ user })).verdicts[0]!.remaining
  const undecided = await Promise.all(
    Array.from({ length: 20 }, () => limiter.consume({ user: 'a' }, { cost: 2 })),
  )
  expect([await left('a'), await left('b')]).toEqual([40, 40])
  for (const decision of undecided) {
    await limiter.conclude(decision, true)
    await limiter.release(decision)
  }
  expect(await left('b')).toBe(0)
  // Ten units come back. They are for the others, because `a` has had the forty.
  clock.advance('100ms')
  expect((await limiter.consume({ user: 'a' })).reason).toBe('fair-share')
  expect((await limiter.consume({ user: 'b' })).reason).toBe('ok')
})

it('a request that leaves a share to more important ones leaves it of the pool', async () => {
  const { clock, limiter } = await pressed({ ...BACKEND, headroom: 0.5 })
  expect((await limiter.consume({ user: 'b' })).allowed).toBe(true)
  for (let i = 0; i < 40; i++) await limiter.consume({ user: 'b' })
  expect((await limiter.consume({ user: 'c' })).reason).toBe('reserved')
  clock.advance('1s')
  expect(await isTurn(limiter, 'c')).toBe(true)
})

it('close() gives back the tickets of callers that wait', async () => {
  const world = await aWorld({ ...perSecond(10), keyStrategy: 'shared', fair: { by: 'user' } } as never, {
    processes: 2,
    delays: { least: 300, most: 900 },
  })
  for (let i = 0; i < 3; i++) world.ask(1, { user: 'a' })
  for (let i = 0; i < 3; i++) world.ask(0, { user: 'b' })
  await world.pass(150)
  const closed = world.processes[0]!.limiter.close()
  await world.pass(50)
  await closed
  await world.pass(600)
  const next = world.ask(1, { user: 'b' })
  await world.pass(250)
  expect(next.ask.end).toBe('started')
})
