// A caller that stands in the line of a bucket, and asks for a window at its turn, over a store that answers later.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { answering } from './answering.ts'
import { passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const bucket: Policy = { name: 'bucket', limit: 10, window: 1, burst: 5 }

/** A world whose store decides at once, and answers after some milliseconds. */
function slowWorld(ms: number) {
  const own = passingWorld()
  const store = answering(own.store, ms)
  return { ...own, limiter: (policy: Policy[]) => own.limiter(policy, { store, storeTimeout: '1s' }) }
}

it('a caller is charged once for bucket and window, where the bucket needs no line any more when it is asked', async () => {
  const { limiter, acquire, pass, starts } = slowWorld(120)
  const own = limiter([bucket, { name: 'window', limit: 5, window: '200ms', algorithm: 'fixed-window' }])
  const spent = own.consume('x', { cost: 5 })
  await pass(0)
  void acquire(own, 'x', 'caller')
  await pass(1_000)
  expect((await spent).allowed).toBe(true)
  const { at, decision } = starts[0]!
  // The bucket is asked when the answer says that the window refuses, and then the caller asks for both.
  expect(at).toBeLessThan(500)
  // It was empty at the beginning.
  const paid = Math.floor((at - 120) / 100)
  expect(decision.verdicts.find(({ policy }) => policy === 'bucket')?.remaining).toBe(paid - 1)
})

it('a caller of a bucket and a window starts when the bucket has its unit, though nobody else waits', async () => {
  const { limiter, acquire, pass, starts } = slowWorld(5)
  const own = limiter([bucket, { name: 'window', limit: 100, window: 1, algorithm: 'sliding-window' }])
  const spent = own.consume('x', { cost: 5 })
  await pass(5)
  expect((await spent).allowed).toBe(true)
  for (const name of [1, 2, 3]) void acquire(own, 'x', name, { maxWait: '5s' })
  await pass(1_000)
  expect(starts.map(({ name }) => name)).toEqual([1, 2, 3])
  // Its place is paid 100 ms after the bucket was empty, and then the window is asked, which takes 5 ms.
  for (const [i, { at }] of starts.entries()) expect(at).toBeLessThan(130 + 100 * i)
})
