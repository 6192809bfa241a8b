// A caller of a bucket and a window whose bucket needs no line any more when the caller asks for a place in it.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Policy } from '../../src/index.ts'
import type { Store } from '../../src/store/index.ts'
import { passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const bucket: Policy = { name: 'bucket', limit: 10, window: 1, burst: 5 }

/** A world whose store decides at once, and answers after 120 ms. */
function slowWorld() {
  const own = passingWorld()
  const evaluate: Store['evaluate'] = async group => {
    const answer = own.store.evaluate(group)
    await new Promise(resolve => void setTimeout(resolve, 120))
    return answer
  }
  const forget: Store['forget'] = counters => own.store.forget(counters)
  const store: Store = { clock: own.clock.now, evaluate, forget }
  return { ...own, limiter: (policy: Policy[]) => own.limiter(policy, { store, storeTimeout: '1s' }) }
}

it('is charged once for both, and starts as soon as both admit it', async () => {
  const { limiter, acquire, pass, starts } = slowWorld()
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
