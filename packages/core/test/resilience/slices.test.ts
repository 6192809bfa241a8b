// What an outage left is told to the store in slices, so that no turn of the event loop is long. Work is counted, and no time is taken.
import { expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import type { Evaluation, Group } from '../../src/databases/index.ts'
import { FaultyStore, pause } from './faulty-store.ts'

/** More than one turn may hold, and fewer than are kept. */
const MANY = 3_000
const MOST_PER_TURN = 600

/** A store that counts its calls in each turn of the event loop. */
class CountingStore extends FaultyStore {
  most = 0
  #inTurn = 0

  override evaluate(group: Group): Promise<Evaluation> {
    if (this.#inTurn++ === 0) setImmediate(() => (this.#inTurn = 0))
    this.most = Math.max(this.most, this.#inTurn)
    return super.evaluate(group)
  }
}

function scene(policy: ConstructorParameters<typeof RateLimiter>[0]['policy']) {
  const store = new CountingStore()
  const limiter = new RateLimiter({ store, policy, warn: () => {} })
  const recover = async (): Promise<void> => {
    await pause(1)
    store.fault = 'none'
    store.most = store.calls = 0
    while ((await limiter.consume({ user: 'last' }, { cost: 0 })).degraded !== false) await pause(20)
    while (store.calls < MANY) await pause(20)
  }
  return { store, limiter, recover }
}

it('the charges of many quotas are written back in slices', async () => {
  const { store, limiter, recover } = scene({ name: 'day', limit: 9, period: 'daily', keyStrategy: 'user' })
  store.fault = 'reject'
  for (let i = 0; i < MANY; i++) await limiter.consume({ user: `u${i}` })
  await recover()
  expect(store.most).toBeLessThan(MOST_PER_TURN)
  expect((await limiter.peek({ user: 'u7' })).remaining).toBe(8)
})

it('many corrections that the store missed are sent in slices', async () => {
  const { store, limiter, recover } = scene({ name: 'calls', limit: 9, window: '1h', keyStrategy: 'user' })
  const decisions = []
  for (let i = 0; i < MANY; i++) decisions.push(await limiter.consume({ user: `u${i}` }, { cost: 5 }))
  store.fault = 'reject'
  for (const decision of decisions) await limiter.settle(decision, 1).catch(() => {})
  await recover()
  expect(store.most).toBeLessThan(MOST_PER_TURN)
  expect((await limiter.peek({ user: 'u7' })).remaining).toBe(8)
})

it('many blocks that the store lost are restored in slices', async () => {
  const { store, limiter, recover } = scene({
    name: 'in',
    limit: 1,
    window: '1h',
    blockDuration: '1h',
    keyStrategy: 'user',
  })
  for (let i = 0; i < MANY; i++) await limiter.pause({ user: `u${i}` }, { for: '1h' })
  store.fault = 'reject'
  for (let i = 0; i < 4; i++) await limiter.consume({ user: 'other' })
  store.empty()
  await recover()
  await pause(50)
  expect(store.most).toBeLessThan(MOST_PER_TURN)
  for (const user of ['u0', 'u2999']) expect((await limiter.consume({ user })).allowed).toBe(false)
})
