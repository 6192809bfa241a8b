// Evaluations that a few numbers tell. Everything else is made when somebody reads it.
import { algorithmOf, type Rule, type State } from '../algorithms/index.ts'
import type { Evaluation } from './evaluation.ts'

/** The evaluation of one counter that a store decided alone, admitted and charged. The most common evaluation by far. */
export type AdmittedCharge = AdmittedBucket | AdmittedWindow

/**
 * The evaluation of a token bucket that a store decided alone, admitted and charged. Its debt tells everything else.
 *
 * perf: bench "limiter.check(request)"; a class that this one extended cost a check a twentieth.
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

  /** The whole units left after the charge. */
  get remaining(): number {
    return unitsLeft(this.rule, this.debt)
  }

  /** The instant from which the counter equals a fresh one. Microseconds. */
  get freshAt(): number {
    return this.now + Math.ceil(this.debt / this.rule.rate)
  }

  get states(): readonly State[] {
    return [[0, this.now, this.debt, this.rule.unit, this.rule.rate]]
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

  get penalty(): State {
    return NONE
  }
}

/** The evaluation of a window that a store decided alone, admitted and charged. */
export class AdmittedWindow implements Evaluation {
  readonly now: number
  readonly rule: Rule
  readonly #state: State

  /**
   * @param now the store's clock at the decision, in microseconds
   * @param state the counter after the charge, which nobody changes any more
   */
  constructor(now: number, state: State, rule: Rule) {
    this.now = now
    this.rule = rule
    this.#state = state
  }

  /** The whole units left after the charge. */
  get remaining(): number {
    return algorithmOf(this.rule).remaining(this.#state, this.now, this.rule)
  }

  /** The instant from which the counter equals a fresh one, `now` at the earliest. Microseconds. */
  get freshAt(): number {
    const freshAt = algorithmOf(this.rule).freshAt(this.#state)
    return freshAt > this.now ? freshAt : this.now
  }

  get states(): readonly State[] {
    return [this.#state]
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

  get penalty(): State {
    return NONE
  }
}

/** The evaluation of a token bucket that gave a caller a place in line. Thousands may be kept, one for each caller that waits. */
export class DeferredBucket extends AdmittedBucket {
  readonly startsIn: number
  readonly #state: State

  /**
   * @param state the counter after the charge, in the terms of `rule`, which nobody changes any more
   * @param startsIn microseconds until the work may start
   */
  constructor(now: number, state: State, rule: Rule, startsIn: number) {
    super(now, state[2]!, rule)
    this.startsIn = startsIn
    this.#state = state
  }

  override get states(): readonly State[] {
    return [this.#state]
  }

  override get freshAt(): number {
    return algorithmOf(this.rule).freshAt(this.#state)
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

/** The whole units left in a bucket with this debt. */
export function unitsLeft({ capacity, unit }: Rule, debt: number): number {
  const left = Math.floor((capacity * unit - debt) / unit)
  return left > 0 ? left : 0
}

// Shared by all evaluations, so they are never written.
const NONE: State = Object.freeze([]) as unknown as State
const NOTHING: readonly boolean[] = Object.freeze([])
const YES: readonly boolean[] = Object.freeze([true])
