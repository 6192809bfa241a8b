// Calls that the store carries out, and whose replies are lost with the connection: nobody is charged twice.
import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Decision, RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { type Evaluation, type Group, Mode } from '../../src/databases/index.ts'
import { view } from '../world.ts'
import { FaultyStore, pause } from './faulty-store.ts'

const daily = { name: 'day', limit: 100, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
const other = view({ ip: '198.51.100.99' })

/** A store that loses the connection after it has carried out the calls of a test. */
class LossyStore extends FaultyStore {
  isLossy = false

  override async evaluate(group: Group): Promise<Evaluation> {
    const evaluation = await super.evaluate(group)
    if (this.isLossy) throw Object.assign(new Error('read ECONNRESET'), { failure: 'unavailable' })
    return evaluation
  }
}

function lossy(policy: RateLimiterOptions['policy'], options: Partial<RateLimiterOptions> = {}) {
  const store = new LossyStore()
  const limiter = new RateLimiter({ store, policy, warn: () => {}, ...options })
  return {
    store,
    limiter,
    async losing<T>(call: () => Promise<T>): Promise<T> {
      store.isLossy = true
      const result = await call()
      store.isLossy = false
      return result
    },
    /** What is used when the process has told the store of everything. */
    async used(): Promise<number> {
      await limiter.check(other)
      await pause(20)
      return 100 - (await limiter.peek(view())).remaining
    },
  }
}

describe('a call whose reply was lost', () => {
  it('is charged to a quota once, though this process decided it', async () => {
    const { limiter, losing, used } = lossy(daily)
    const decision = await losing(() => limiter.check(view(), { cost: 5 }))
    expect(decision).toMatchObject({ allowed: true, degraded: 'local', cost: 5 })
    expect(await used()).toBe(5)
  })

  it.each([0, 2, 9])('stays charged as it is when it is settled to %i', async actual => {
    const { limiter, losing, used } = lossy(daily)
    const decision = await losing(() => limiter.check(view(), { cost: 5 }))
    await limiter.settle(decision, actual)
    expect(await used()).toBe(5)
  })

  it('leaves alone what the store is still to be told of others', async () => {
    const { store, limiter, losing, used } = lossy(daily)
    store.fault = 'reject'
    await limiter.check(view(), { cost: 10 })
    store.fault = 'none'
    const decision = await losing(() => limiter.check(view(), { cost: 5 }))
    await limiter.settle(decision, 0)
    expect(await used()).toBe(15)
  })

  it('is charged once by its idempotency key, whoever repeats it', async () => {
    const { limiter, losing, used } = lossy(daily)
    await losing(() => limiter.check(view(), { cost: 5, idempotencyKey: 'k' }))
    expect((await limiter.check(view(), { cost: 5, idempotencyKey: 'k' })).allowed).toBe(true)
    expect(await used()).toBe(5)
  })

  it('pays once what a call used, and gives back nothing that it may not have taken', async () => {
    const { limiter, losing, used } = lossy(daily)
    const call = await limiter.reserve(view(), { cost: 5, chunk: 1 })
    expect(await losing(() => call.charge(8))).toBe(true)
    await call.settle(8)
    expect(await used()).toBe(8)
  })

  it('is not awaited when the limiter closes', async () => {
    const { store, limiter, losing } = lossy(daily, { storeTimeout: '60s' })
    const decision: Decision = await losing(() => limiter.check(view()))
    expect(decision.degraded).toBe('local')
    store.fault = 'reject'
    await limiter.close()
  })
})

it.each([
  ['before', 10],
  ['after', 15],
] as const)(
  'a write-back that is lost %s the store has made it gives back nothing of others',
  async (when, left) => {
    const { store, limiter, used } = lossy(daily)
    await limiter.check(view(), { cost: 10 })
    store.fault = 'reject'
    const decision = await limiter.check(view(), { cost: 5 })
    expect(decision.degraded).toBe('local')
    store.fault = 'none'
    const evaluate = store.evaluate.bind(store)
    store.evaluate = async group => {
      const isWriteBack = group.demands.some(({ mode }) => mode === Mode.SETTLE)
      if (isWriteBack && when === 'before') throw new Error('read ECONNRESET')
      const evaluation = await evaluate(group)
      if (isWriteBack) throw new Error('read ECONNRESET')
      return evaluation
    }
    await limiter.check(other)
    await pause(20)
    store.evaluate = evaluate
    await limiter.settle(decision, 0)
    expect(await used()).toBe(left)
  },
)
