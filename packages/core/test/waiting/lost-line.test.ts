// What starts when the store has lost a line: callers that have waited keep nothing that the store does not give them again.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy, RateLimiter, RateLimiterOptions } from '../../src/index.ts'
import { Mode, type Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { otherProcess, type PassingWorld, passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
// A caller that still waits would leave its alarm to the files that share the process.
afterEach(async () => {
  await Promise.all(limiters.splice(0).map(limiter => limiter.close()))
  vi.useRealTimers()
})

const limiters: RateLimiter[] = []

function open(own: PassingWorld, policy: Policy, options: Partial<RateLimiterOptions>): RateLimiter {
  const limiter = own.limiter(policy, options)
  limiters.push(limiter)
  return limiter
}

const slow: Policy = { name: 'slow', limit: 1, window: '1m', burst: 1 }
const user = { user: '1' }

/** A store that answers later, and can lose all that it knows and leave questions for places without an answer. */
function fragileStore(now: () => number) {
  const state = { inner: new ReferenceStore(now) as Store, placesNobody: false, placesAfter: 0 }
  const store: Store = {
    clock: now,
    evaluate: async group => {
      const asksForPlaces = group.demands.some(
        ({ mode, cost, terms }) => mode === Mode.SETTLE && cost > 0 && terms?.place !== undefined,
      )
      if (state.placesNobody && asksForPlaces) throw new Error('away')
      const wait = asksForPlaces ? state.placesAfter : 0
      if (wait > 0) await new Promise(resolve => void setTimeout(resolve, wait))
      return state.inner.evaluate(group)
    },
    forget: counters => state.inner.forget(counters),
  }
  return { store, state }
}

it('of the callers whose places the store has lost, no process starts one before it has a place again', async () => {
  const own = passingWorld()
  const { store, state } = fragileStore(own.clock.now)
  const limiters = Array.from({ length: 5 }, (): RateLimiter =>
    open(own, slow, { store: otherProcess(store), instances: 5 }),
  )
  for (const limiter of limiters)
    for (let i = 0; i < 3; i++) own.acquire(limiter, user, 'before', { maxWait: '1h' }).catch(() => {})
  await own.pass(2000)
  expect(own.starts.length).toBe(1)
  state.inner = new ReferenceStore(own.clock.now)
  await own.pass(3000)
  // One by the burst of the counter that was lost, and one by the new one's.
  expect(own.starts.length).toBe(2)
})

it('a caller whose place the store has lost gives nothing back when it leaves', async () => {
  const own = passingWorld()
  const { store, state } = fragileStore(own.clock.now)
  const limiter = open(own, slow, { store })
  const leaving = new AbortController()
  for (let i = 0; i < 4; i++)
    own.acquire(limiter, user, 'before', { maxWait: '1h', signal: leaving.signal }).catch(() => {})
  await own.pass(300)
  state.inner = new ReferenceStore(own.clock.now)
  state.placesNobody = true
  const other = open(own, slow, { store: otherProcess(store) })
  own.acquire(other, user, 'new', { maxWait: '1h' }).catch(() => {})
  // It hears of the loss as it looks.
  await own.pass(1200)
  leaving.abort()
  await own.pass(50)
  own.acquire(other, user, 'newer', { maxWait: '1h' }).catch(() => {})
  await own.pass(3000)
  expect(own.starts.map(({ name }) => name)).toEqual(['before', 'new'])
})

it('a caller whose place the store has lost starts no sooner than a pause of its client ends', async () => {
  const own = passingWorld()
  const { store, state } = fragileStore(own.clock.now)
  const limiter = open(own, { name: 'api', limit: 1, window: '5s', burst: 1 }, { store })
  for (let i = 0; i < 3; i++) own.acquire(limiter, user, i, { maxWait: '1h' }).catch(() => {})
  await own.pass(50)
  state.inner = new ReferenceStore(own.clock.now)
  state.placesNobody = true
  await own.pass(1200)
  await limiter.pause(user, { for: '20s' })
  await own.pass(18_000)
  expect(own.starts.length).toBe(1)
  await own.pass(15_000)
  expect(own.starts.length).toBeGreaterThan(1)
})

/** Callers in a line, the first of whom has started, whose store has come back without it. */
async function inLostLine(callers = 4) {
  const own = passingWorld()
  const { store, state } = fragileStore(own.clock.now)
  const limiter = open(own, slow, { store })
  for (let i = 0; i < callers; i++) own.acquire(limiter, user, i, { maxWait: '1h' }).catch(() => {})
  await own.pass(50)
  state.inner = new ReferenceStore(own.clock.now)
  return { own, store, state, limiter }
}

it('callers whose places the store has lost get others, though the first question for them had no answer', async () => {
  const { own, store, state } = await inLostLine()
  state.placesNobody = true
  await own.pass(1500)
  state.placesNobody = false
  await own.pass(3000)
  const other = open(own, slow, { store: otherProcess(store) })
  // One has started by the burst of the new counter.
  expect(await other.line(user)).toMatchObject({ units: 2 })
})

it('a lone caller whose place the store has lost starts when the store gives it another, not at the end of what it owes', async () => {
  const { own, state } = await inLostLine(2)
  state.placesNobody = true
  await own.pass(1500)
  state.placesNobody = false
  await own.pass(3000)
  expect(own.starts.length).toBe(2)
})

it('of callers of whom an older replica knows some, those keep their places, and the others get new ones behind them', async () => {
  const own = passingWorld()
  const replica = new ReferenceStore(own.clock.now)
  const { store, state } = fragileStore(own.clock.now)
  let copied = 0
  const copying: Store = {
    ...store,
    evaluate: async group => {
      // It is told of the first start and of two places, and of no more.
      if (++copied <= 3) replica.evaluate(group)
      return store.evaluate(group)
    },
  }
  const limiter = open(own, { name: 'api', limit: 1, window: 1, burst: 1 }, { store: copying })
  for (let i = 0; i < 5; i++) own.acquire(limiter, user, i, { maxWait: '1h' }).catch(() => {})
  await own.pass(50)
  state.inner = replica
  await own.pass(4500)
  expect(own.starts.map(({ at }) => Math.round(at / 1000))).toEqual([0, 1, 2, 3, 4])
})

it('a newcomer that got a place while others asked for theirs again stands behind them, and leaves no hole', async () => {
  const { own, store, state, limiter } = await inLostLine()
  state.placesAfter = 80
  const other = open(own, slow, { store: otherProcess(store) })
  await other.consume(user)
  // It hears of the loss as it looks, once a second.
  for (let i = 0; i < 15; i++) {
    await own.pass(100)
    if (i === 9) own.acquire(limiter, user, 'new', { maxWait: '1h' }).catch(() => {})
  }
  expect(await other.line(user)).toMatchObject({ units: 4 })
})
