// Evaluations that a few numbers tell. Everything else is made when somebody reads it.
import { algorithmOf, type Rule, type State } from '../algorithms/index.ts'
import type { Evaluation } from './evaluation.ts'

/**
 * The evaluation of one counter that a store decided alone, admitted and charged: the most common evaluation by far. A few numbers tell
 * everything else, which is made when somebody reads it.
 *
 * perf: bench "limiter.check(request)"; a class that this one extended cost a check a twentieth.
 */
export class Admitted implements Evaluation {
  readonly now: number
  readonly rule: Rule
  readonly debt: number | undefined
  readonly startsIn: number | undefined
  readonly #state: State | undefined

  /**
   * @param now the store's clock at the decision, in microseconds
   * @param debt of a token bucket: its debt after the charge, in the terms of `rule`
   * @param state the counter after the charge, which nobody changes any more. Default: a bucket without a line, whose debt tells it
   * @param startsIn microseconds until the work may start, for a caller that got a place in line
   */
  constructor(now: number, rule: Rule, debt: number | undefined, state?: State, startsIn?: number) {
    this.now = now
    this.rule = rule
    this.debt = debt
    this.#state = state
    this.startsIn = startsIn
  }

  /** The whole units left after the charge. */
  get remaining(): number {
    const { debt, now, rule } = this
    return debt === undefined ? algorithmOf(rule).remaining(this.#state!, now, rule) : unitsLeft(rule, debt)
  }

  /** The instant from which the counter equals a fresh one, `now` at the earliest. Microseconds. */
  get freshAt(): number {
    const { debt, now, rule } = this
    if (this.#state === undefined) return now + Math.ceil(debt! / rule.rate)
    const freshAt = algorithmOf(rule).freshAt(this.#state)
    return freshAt > now ? freshAt : now
  }

  get states(): readonly State[] {
    const { debt, now, rule } = this
    return [this.#state ?? [0, now, debt!, rule.unit, rule.rate]]
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
