// The promises about every decision, over random policies, costs and times.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type Decision, type Policy, RateLimiter } from '../../src/index.ts'
import {
  type HistoryStep,
  histories,
  penalties,
  play,
  SECOND,
  somePolicies,
  RecordingStore,
} from '../histories.ts'
import { view } from '../world.ts'

describe('a refused request', () => {
  it('a refused request passes after retryAfter, and neither a second earlier nor 1 ms before the exact wait', async () => {
    let refusals = 0
    await fc.assert(
      fc.asyncProperty(somePolicies, histories, penalties, async (policies, history, penalty) => {
        const { cost } = history.at(-1) as HistoryStep
        const { store, limiter, last } = await play(policies, history, penalty)
        if (last.allowed) return
        refusals++
        const exact = store.wait
        if (last.retryAfter === Infinity) {
          expect(last.reason).toBe('cost-exceeds-limit')
          return
        }
        expect(last.retryAfter).toBe(Math.ceil(exact / SECOND))
        for (const early of [(last.retryAfter - 1) * SECOND, exact - 1000]) {
          if (early <= 0) continue
          const other = await play(policies, history, penalty)
          other.store.now += early
          expect((await other.limiter.check(view(), { cost })).allowed).toBe(false)
        }
        store.now += last.retryAfter * SECOND
        expect(await limiter.check(view(), { cost })).toMatchObject({ allowed: true, retryAfter: 0 })
      }),
      { numRuns: isFull ? 400 : 200 },
    )
    expect(refusals).toBeGreaterThan(50)
  })

  it('a refused request charges nothing: remaining and resetAt are unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, histories, async (policies, history) => {
        const plain = policies.map(policy => ({ ...policy, blockDuration: undefined }) as Policy)
        const admitted: HistoryStep[] = []
        const { store, limiter } = await play(plain, [{ after: 0, cost: 0 }], undefined)
        let waited = 0
        for (const ask of history) {
          store.now += ask.after
          waited += ask.after
          if (!(await limiter.check(view(), { cost: ask.cost })).allowed) continue
          admitted.push({ after: waited, cost: ask.cost })
          waited = 0
        }
        const other = await play(plain, [{ after: 0, cost: 0 }, ...admitted], undefined)
        other.store.now = store.now
        expect((await other.limiter.peek(view())).verdicts).toEqual((await limiter.peek(view())).verdicts)
      }),
      { numRuns: isFull ? 200 : 100 },
    )
  })
})

describe('any decision', () => {
  it('a decision has fields that agree with each other', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, histories, penalties, async (policies, history, penalty) => {
        const { store, last } = await play(policies, history, penalty)
        expect(last.allowed).toBe(last.verdicts.every(({ allowed }) => allowed))
        expect(last.allowed).toBe(last.reason === 'ok')
        expect(last.allowed).toBe(last.retryAfter === 0)
        const binding = last.verdicts.find(({ policy }) => policy === last.policy)
        expect(binding).toMatchObject({ allowed: last.allowed, limit: last.limit, remaining: last.remaining })
        expect(last.retryAfter).toBeGreaterThanOrEqual(
          Math.max(...last.verdicts.map(({ retryAfter }) => retryAfter)),
        )
        for (const said of [last, ...last.verdicts]) {
          expect(said.remaining).toBeGreaterThanOrEqual(0)
          expect([said.remaining, said.limit, said.resetAt].every(Number.isInteger)).toBe(true)
          expect(said.resetAt).toBeGreaterThanOrEqual(Math.floor(store.now / SECOND))
        }
      }),
      { numRuns: isFull ? 300 : 150 },
    )
  })

  it('a peek changes nothing in the rest of the history', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, histories, penalties, async (policies, history, penalty) => {
        const plain = await play(policies, history, penalty)
        const store = new RecordingStore()
        const limiter = new RateLimiter({ store, policy: policies, penalty, warn: () => {} })
        let last: Decision | undefined
        for (const { after, cost } of history) {
          store.now += after
          await limiter.peek(view())
          last = await limiter.check(view(), { cost })
          await limiter.peek(view())
        }
        expect(last?.verdicts).toEqual(plain.last.verdicts)
      }),
      { numRuns: isFull ? 150 : 75 },
    )
  })
})
