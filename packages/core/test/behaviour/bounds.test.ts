// Promise 1, the bound on admitted requests, over random policies, costs and times.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Policy, RateLimiter } from '../../src/index.ts'
import { histories, penalties, somePolicies, RecordingStore } from '../histories.ts'
import { view } from '../world.ts'

describe('the admitted requests', () => {
  /** Checks every interval between two admissions against a policy's bound. */
  function expectBounded(
    { algorithm, limit, window, burst }: Policy,
    admitted: readonly [at: number, units: number][],
  ): void {
    const micros = { '1ms': 1e3, '700ms': 7e5, '1s': 1e6, '7s': 7e6, '1m': 6e7 }[window as '1s']
    const capacity = burst ?? limit
    for (let from = 0; from < admitted.length; from++) {
      let units = 0
      for (let to = from; to < admitted.length; to++) {
        units += admitted[to]![1]
        const length = admitted[to]![0] - admitted[from]![0]
        if (algorithm === 'token-bucket')
          expect(units * micros).toBeLessThanOrEqual(capacity * micros + length * limit)
        else if (length < micros)
          expect(units).toBeLessThanOrEqual(algorithm === 'fixed-window' ? 2 * limit : limit)
      }
    }
  }

  it('admitted requests never exceed the bound of any policy in any interval, hammered or not', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, histories, penalties, async (policies, history, penalty) => {
        const store = new RecordingStore()
        const limiter = new RateLimiter({ store, policy: policies, penalty, warn: () => {} })
        const admitted: [number, number][] = []
        for (const { after, cost } of history) {
          store.now += after
          for (let again = 0; again < 3; again++) {
            if ((await limiter.check(view(), { cost })).allowed) admitted.push([store.now, cost])
          }
        }
        for (const policy of policies) expectBounded(policy, admitted)
      }),
      { numRuns: 300 },
    )
  })

  it('settled estimates stay within the bound of the real use, with refunds counted when they are made', async () => {
    const used = fc.array(
      fc.record({ estimate: fc.integer({ min: 1, max: 6 }), actual: fc.integer({ min: 0, max: 6 }) }),
      { maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 6, max: 20 }), used, async (limit, calls) => {
        const store = new RecordingStore()
        const policy: Policy = { name: 'p', limit, window: '1m', algorithm: 'fixed-window' }
        const limiter = new RateLimiter({ store, policy })
        let sum = 0
        for (const { estimate, actual } of calls) {
          const decision = await limiter.check(view(), { cost: estimate })
          expect(decision.allowed).toBe(sum + estimate <= limit)
          if (!decision.allowed) continue
          await limiter.settle(decision, actual)
          sum += actual
          expect((await limiter.peek(view())).remaining).toBe(Math.max(0, limit - sum))
        }
      }),
      { numRuns: 200 },
    )
  })
})
