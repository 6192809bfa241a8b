// Callers whose places the store has lost.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { Mode, type Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

for (const [name, otherwise] of [
  ['at once', (store: Store): Store => store],
  ['later', (store: Store): Store => ({ ...store, evaluate: async group => store.evaluate(group) })],
] as const)
  it(`callers that wait for two buckets get new places once, from a store that lost them and answers ${name}`, async () => {
    const own = passingWorld()
    let [inner, calls] = [own.store, 0]
    const store = otherwise({
      clock: own.clock.now,
      evaluate: group => {
        if (++calls > 500) throw new Error('asked without end')
        return inner.evaluate(group)
      },
      forget: counters => inner.forget(counters),
    })
    const bucket: Policy = { name: 'own', limit: 10, window: 1, burst: 1 }
    const limiter = own.limiter([bucket, { ...bucket, name: 'all', limit: 5, keyStrategy: 'shared' }], {
      store,
    })
    for (const name of ['1', '2', '1', '2', '1']) void own.acquire(limiter, { user: name }, name)
    await own.pass(300)
    inner = new ReferenceStore(own.clock.now)
    const before = calls
    // The line hears of the loss with the next question.
    void own.acquire(limiter, { user: '1' }, 'last')
    await own.pass(50)
    expect(calls - before).toBeLessThan(8)
    await own.pass(2_000)
    // The store has forgotten the order: it admits the newcomer at once.
    const names = own.starts.map(({ name }) => String(name))
    expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(['1', '1', '1', '2', '2', 'last'])
    expect(own.refused).toEqual([])
  })

it('a caller of a bucket and a window whose place was lost asks anew at its turn, if it got no other place', async () => {
  const own = passingWorld()
  let [inner, isAway] = [own.store, false]
  const store: Store = {
    clock: own.clock.now,
    evaluate: group => {
      const asksForPlaces = group.demands.some(
        ({ mode, cost, terms }) => mode === Mode.SETTLE && cost > 0 && terms?.place !== undefined,
      )
      if (isAway && asksForPlaces) throw new Error('away')
      return inner.evaluate(group)
    },
    forget: counters => inner.forget(counters),
  }
  const bucket: Policy = { name: 'bucket', limit: 1, window: 1, burst: 1 }
  const month: Policy = { name: 'month', algorithm: 'sliding-window', limit: 100, window: '1h' }
  const limiter = own.limiter([bucket, month], { store, onStoreError: 'closed' })
  for (const name of ['1', '2', '3']) void own.acquire(limiter, { user: '1' }, name)
  await own.pass(300)
  inner = new ReferenceStore(own.clock.now)
  isAway = true
  // The line hears of the loss with the next question.
  void own.acquire(limiter, { user: '1' }, 'last')
  await own.pass(50)
  isAway = false
  await own.pass(6_000)
  expect(own.starts.map(({ name }) => name)).toEqual(['1', 'last', '2', '3'])
  expect(own.refused).toEqual([])
})
