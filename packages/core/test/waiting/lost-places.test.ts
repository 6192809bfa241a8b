// Callers whose places the store has lost.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { type Group, Mode, type Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { otherProcess, passingWorld } from './passing-world.ts'

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

it('a caller that needed no place in a line loses none when others leave, though their answers come before its own', async () => {
  const own = passingWorld()
  const joins = ({ demands }: Group): boolean =>
    demands.length === 1 && demands[0]!.mode === Mode.CHARGE && demands[0]!.cost > 0
  // The first question for the slow bucket alone is answered late.
  const lateBy = (ms: number): Store => {
    const store = otherProcess(own.store)
    let isFirst = true
    return {
      ...store,
      evaluate: async group => {
        const answer = await store.evaluate(group)
        if (!joins(group) || !isFirst) return answer
        isFirst = false
        return new Promise(resolve => void setTimeout(() => resolve(answer), ms))
      },
    }
  }
  const policies: Policy[] = [
    { name: 'slow', limit: 2, window: 1, burst: 3 },
    { name: 'fast', limit: 4, window: 1, burst: 1 },
  ]
  const first = own.limiter(policies)
  for (let i = 0; i < 4; i++) void own.acquire(first, 's', `earlier ${i}`)
  await own.pass(2500)
  // The slow bucket is full again, and the line that it had is not forgotten yet.
  await first.consume('s')
  const [here, there] = [lateBy(60), lateBy(20)].map(store => own.limiter(policies, { store }))
  void own.acquire(here!, 's', 'late')
  const leaving = new AbortController()
  const left = there!.acquire('s', { signal: leaving.signal }).catch(() => 'left')
  await own.pass(10)
  leaving.abort()
  expect(await left).toBe('left')
  await own.pass(20)
  void own.acquire(here!, 's', 'last')
  await own.pass(970)
  // Three units since 2500, of which each takes half a second: at 3500 one is owed.
  expect((await first.explain('s')).policies.map(({ policy, before }) => [policy, before])).toEqual([
    ['slow', 2],
    ['fast', 1],
  ])
  expect(own.starts.slice(4).map(({ name, at }) => [name, at])).toEqual([
    ['late', 2750],
    ['last', 3000],
  ])
})
