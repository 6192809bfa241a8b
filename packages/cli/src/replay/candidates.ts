import { type Policy, type CompiledPolicy, definePolicy, type RateLimiter } from '@halt/core'
import { algorithms, type Counters, decide, type Demand, Mode, type Rule } from '@halt/core/store'

import { ListedStates, NumberedStates, Rows, type States } from './candidate-states.ts'

/** A demand of which everything stays the same but a quota's period. */
type ReusedDemand = { -readonly [K in keyof Demand]: Demand[K] }

/**
 * One policy with another limit, which decides alone. Its counters are numbered as the keys are, and it calls `decide` without a
 * limiter and a store, which takes a fifth of the time. A test holds both equal.
 */
export class Candidate {
  readonly limit: number
  /** The requests that it refused. */
  refused = 0
  readonly #policy: CompiledPolicy
  readonly #demand: ReusedDemand
  readonly #group: { readonly demands: readonly [Demand] }
  readonly #states: States
  #key = 0
  #now = 0
  readonly #counters: Counters = {
    load: () => this.#states.load(this.#key),
    keep: (_subject, _counter, state) => this.#states.keep(this.#key, state, this.#now),
  }

  /**
   * @param limiter compiles the policy
   * @param base the policy as the user gave it; a `burst` keeps its proportion to the limit
   * @param rows shared by the candidates of the policy, of which this is the one with that number
   * @throws HaltError if the policy cannot have this limit
   */
  constructor(limiter: RateLimiter, base: Policy, limit: number, rows: Rows, number: number) {
    const changed = definePolicy(base as never, { limit, mode: 'enforce' } as never) as Policy
    const policy = limiter.compile(changed)[0] as CompiledPolicy
    const rule = policy.rule(undefined)
    this.limit = limit
    this.#policy = policy
    this.#states = statesFor(rule, rows, number)
    this.#demand = { rule, subject: '', cost: policy.cost, mode: Mode.CHARGE, penalized: false }
    this.#group = { demands: [this.#demand] }
  }

  /**
   * Whether a request passes. Charges it if so.
   *
   * @param key the number of its key
   * @param now Unix milliseconds, which never go back
   */
  admits(key: number, now: number): boolean {
    this.#key = key
    if (this.#policy.calendar !== undefined) this.#demand.edges = this.#policy.edges(now)
    this.#now = Math.floor(now * 1000)
    const { allowed } = decide(this.#group, this.#counters, this.#now)
    if (!allowed) this.refused++
    return allowed
  }
}

/** Makes the candidates of a policy. @throws HaltError if the policy cannot have one of the limits */
export function candidatesFor(
  limiter: RateLimiter,
  base: Policy,
  limits: readonly number[],
): readonly Candidate[] {
  const rows = new Rows(limits.length)
  return limits.map((limit, number) => new Candidate(limiter, base, limit, rows, number))
}

function statesFor(rule: Rule, rows: Rows, number: number): States {
  const { layout } = algorithms[rule.code]
  if (layout === 'bucket') return new NumberedStates(rows, number, [rule.unit, rule.rate])
  return layout === 'window' ? new NumberedStates(rows, number, []) : new ListedStates(rule)
}
