import type { Rule, State } from '../algorithms/index.ts'

/** A store's reply to a group. */
export interface Evaluation {
  /** The store's clock at the decision, in microseconds since the Unix epoch. */
  readonly now: number
  /** Whether every enforced demand passed. */
  readonly allowed: boolean
  /** Whether the idempotency key was seen before. If so, only units in flight were decided and charged. */
  readonly repeated: boolean
  /** Whether each demand passed. */
  readonly passes: readonly boolean[]
  /** Whether each demand's refusal started its cool-down. Empty if none did. */
  readonly starts: readonly boolean[]
  /** Each demand's counter after the decision. */
  readonly states: readonly State[]
  /** If several nodes decided: when each demand was decided, by its node's clock. Otherwise all were decided at `now`. */
  readonly instants?: readonly number[] | undefined
  /** The penalty's state after the decision; empty if there is none. */
  readonly penalty: State
  /**
   * Microseconds until the work may start, where the caller has to wait. If the group was allowed, its place is charged. Otherwise
   * nothing was written, and the caller asks again then. Absent if there is nothing to wait for.
   */
  readonly startsIn?: number | undefined
  /** The units that each demand was granted. Absent if no demand accepts fewer units than its cost. */
  readonly grants?: readonly number[] | undefined
  /** Only in {@link AdmittedBucket}: the debt after the charge, in the terms of the demand's rule. */
  readonly debt?: number | undefined
  /**
   * Only in {@link AdmittedBuckets}: the debt of each demand's bucket after its charge, in the terms of the demand's rule. The
   * other fields are then getters, which a spread does not copy.
   */
  readonly debts?: readonly number[] | undefined
}

/**
 * The evaluation of a token bucket that a store decided alone, admitted and charged: its debt tells everything else, which is
 * made when somebody reads it. The most common evaluation by far.
 */
export class AdmittedBucket implements Evaluation {
  readonly now: number
  readonly debt: number
  readonly rule: Rule

  /**
   * @param now the store's clock at the decision, in microseconds
   * @param debt the debt after the charge, in the terms of `rule`
   */
  constructor(now: number, debt: number, rule: Rule) {
    this.now = now
    this.debt = debt
    this.rule = rule
  }

  get allowed(): boolean {
    return true
  }

  get repeated(): boolean {
    return false
  }

  get passes(): readonly boolean[] {
    return YES
  }

  get starts(): readonly boolean[] {
    return NOTHING
  }

  get states(): readonly State[] {
    return [[0, this.now, this.debt, this.rule.unit, this.rule.rate]]
  }

  get penalty(): State {
    return NONE
  }
}

/** The evaluation of a token bucket that a store admitted at a later instant. Thousands may be held, one for each caller that waits. */
export class DeferredBucket extends AdmittedBucket {
  readonly startsIn: number

  /** @param startsIn microseconds until the work may start */
  constructor(now: number, debt: number, rule: Rule, startsIn: number) {
    super(now, debt, rule)
    this.startsIn = startsIn
  }
}

/** The part of a demand that is needed here. */
interface Ruled {
  readonly rule: Rule
}

/**
 * The evaluation of a group of token buckets that a store admitted and charged, without a penalty and without a key. Their debts
 * tell everything else, which is made when somebody reads it.
 */
export class AdmittedBuckets implements Evaluation {
  readonly now: number
  readonly debts: readonly number[]
  readonly #demands: readonly Ruled[]
  #states: readonly State[] | undefined

  /**
   * @param now the store's clock at the decision, in microseconds
   * @param debts the debt of each demand's bucket after the charge, in the terms of its rule
   */
  constructor(now: number, debts: readonly number[], demands: readonly Ruled[]) {
    this.now = now
    this.debts = debts
    this.#demands = demands
  }

  get allowed(): boolean {
    return true
  }

  get repeated(): boolean {
    return false
  }

  get passes(): readonly boolean[] {
    return this.debts.map(() => true)
  }

  get starts(): readonly boolean[] {
    return NOTHING
  }

  get states(): readonly State[] {
    return (this.#states ??= this.#demands.map(({ rule }, i) => [
      0,
      this.now,
      this.debts[i]!,
      rule.unit,
      rule.rate,
    ]))
  }

  get penalty(): State {
    return NONE
  }
}

// Shared by all evaluations, so they are never written.
const NONE: State = Object.freeze([]) as unknown as State
const NOTHING: readonly boolean[] = Object.freeze([])
const YES: readonly boolean[] = Object.freeze([true])
