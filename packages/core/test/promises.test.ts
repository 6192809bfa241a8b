// What the design promises of every decision, over random policies, costs and times.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Decision, type Policy, RateLimiter } from '../src/index.ts'
import { type Group, type Store, type Verdict, waitFor } from '../src/store/index.ts'
import { ReferenceStore } from '../src/testing/index.ts'
import { START, view } from './world.ts'

const SECOND = 1e6

/** A store on a clock of whole microseconds that remembers its last answer, so that exact waits can be read. */
class Watched implements Store {
  readonly kind = 'watched'
  now: number = START * 1000
  #inner: ReferenceStore = new ReferenceStore(() => this.now / 1000)
  #last: [Group, Verdict] | undefined

  evaluate(group: Group): Verdict {
    const verdict = this.#inner.evaluate(group)
    this.#last = [group, verdict]
    return verdict
  }

  forget(): void {}

  /** Microseconds until all that was last asked passes. */
  get wait(): number {
    const [group, verdict] = this.#last as [Group, Verdict]
    return Math.max(...group.demands.map((demand, i) => waitFor(demand, verdict.states[i] ?? [], verdict)))
  }
}

interface Ask {
  /** Microseconds since the last one. */
  readonly after: number
  readonly cost: number
}

const aPolicy = (name: string): fc.Arbitrary<Policy> =>
  fc
    .record({
      algorithm: fc.constantFrom('token-bucket', 'fixed-window', 'sliding-window'),
      limit: fc.integer({ min: 1, max: 20 }),
      window: fc.constantFrom('1ms', '700ms', '1s', '7s', '1m'),
      burst: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      precision: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      blockDuration: fc.option(fc.constantFrom('3ms', '2500ms', '40s'), { nil: undefined, freq: 4 }),
    })
    .map(({ algorithm, burst, precision, ...rest }) => ({
      ...rest,
      name,
      algorithm,
      ...(algorithm === 'token-bucket' ? { burst } : {}),
      ...(algorithm === 'sliding-window' ? { precision } : {}),
    })) as fc.Arbitrary<Policy>
const somePolicies = fc
  .integer({ min: 1, max: 3 })
  .chain(count => fc.tuple(...Array.from({ length: count }, (_, i) => aPolicy(`p${i}`))))
const asks: fc.Arbitrary<Ask[]> = fc.array(
  fc.record({
    after: fc.oneof(fc.constantFrom(0, 1, 1000, 250_000, SECOND), fc.integer({ min: 0, max: 8 * SECOND })),
    cost: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }) },
    ),
  }),
  { minLength: 1, maxLength: 40 },
)
const penalties = fc.option(
  fc.record({
    threshold: fc.constantFrom(1, 2),
    multiplier: fc.constantFrom(0.3, 0.5),
    duration: fc.constantFrom(1, 20),
    cooldown: fc.constantFrom(0, 1),
  }),
  { nil: undefined },
)

/** Plays a history on a limiter of its own, up to its end. */
async function play(
  policies: readonly Policy[],
  history: readonly Ask[],
  penalty: RateLimiterPenalty,
): Promise<{ store: Watched; limiter: RateLimiter; last: Decision }> {
  const store = new Watched()
  const limiter = new RateLimiter({ store, policy: policies, penalty, warn: () => {} })
  let last: Decision | undefined
  for (const { after, cost } of history) {
    store.now += after
    last = await limiter.check(view(), { cost })
  }
  return { store, limiter, last: last as Decision }
}

type RateLimiterPenalty = ConstructorParameters<typeof RateLimiter>[0]['penalty']

describe('a refused request', () => {
  it('passes after its retryAfter; not 1 ms before the exact wait, and not one whole second sooner', async () => {
    let refusals = 0
    await fc.assert(
      fc.asyncProperty(somePolicies, asks, penalties, async (policies, history, penalty) => {
        const { cost } = history.at(-1) as Ask
        const { store, limiter, last } = await play(policies, history, penalty)
        if (last.allowed) return
        refusals++
        const exact = store.wait
        if (last.retryAfter === Infinity) {
          expect(last.reason).toBe('cost-exceeds-limit')
          return
        }
        expect(last.retryAfter).toBe(Math.ceil(exact / SECOND))
        const early = exact - 1000
        if (early >= 0) {
          const other = await play(policies, history, penalty)
          other.store.now += early
          expect((await other.limiter.check(view(), { cost })).allowed).toBe(false)
        }
        store.now += last.retryAfter * SECOND
        expect(await limiter.check(view(), { cost })).toMatchObject({ allowed: true, retryAfter: 0 })
      }),
      { numRuns: 400 },
    )
    expect(refusals).toBeGreaterThan(50)
  })

  it('charged nothing: what is left and when it is full again are as if it had not been', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, asks, async (policies, history) => {
        const plain = policies.map(policy => ({ ...policy, blockDuration: undefined }) as Policy)
        const admitted: Ask[] = []
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
      { numRuns: 200 },
    )
  })
})

describe('what is admitted', () => {
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

  it('never exceeds the bound of any of the policies, in any interval, hammered or not', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, asks, penalties, async (policies, history, penalty) => {
        const store = new Watched()
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

  it('by settled estimates stays within the bound of what was really used, refunds counted when they are made', async () => {
    const used = fc.array(
      fc.record({ estimate: fc.integer({ min: 1, max: 6 }), actual: fc.integer({ min: 0, max: 6 }) }),
      { maxLength: 30 },
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 6, max: 20 }), used, async (limit, calls) => {
        const store = new Watched()
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

describe('any decision', () => {
  it('is one that people can rely on: its fields agree with each other', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, asks, penalties, async (policies, history, penalty) => {
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
      { numRuns: 300 },
    )
  })

  it('of a peek changes nothing: with or without, the history goes on alike', async () => {
    await fc.assert(
      fc.asyncProperty(somePolicies, asks, penalties, async (policies, history, penalty) => {
        const plain = await play(policies, history, penalty)
        const store = new Watched()
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
      { numRuns: 150 },
    )
  })
})
