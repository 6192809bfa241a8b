// Evaluations that a few numbers tell. Everything else is made when somebody reads it.
import { type Rule, type State, algorithmOf, blockedUntil, freshAt } from '../algorithms/index.ts'
import { type Evaluation, NO, NONE, NOTHING, YES } from './evaluation.ts'

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

  get allowed(): true {
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

/**
 * The evaluation of one counter that a store decided alone, and refused without a change. The counter and the wait tell everything
 * else.
 */
export class Refused implements Evaluation {
  readonly now: number
  readonly rule: Rule
  /** Microseconds until the cost passes. */
  readonly wait: number
  readonly startsIn: undefined
  readonly #state: State

  /** @param state the counter, which nobody changes any more */
  constructor(now: number, rule: Rule, state: State, wait: number) {
    this.now = now
    this.rule = rule
    this.wait = wait
    this.startsIn = undefined
    this.#state = state
  }

  /** Whether a cool-down refuses. */
  get isBlocked(): boolean {
    return this.now < blockedUntil(this.#state)
  }

  /** The whole units left. */
  get remaining(): number {
    return this.isBlocked ? 0 : algorithmOf(this.rule).remaining(this.#state, this.now, this.rule)
  }

  /** The instant at which no charged unit counts any more, `now` at the earliest. Microseconds. */
  get resetAt(): number {
    const fresh = freshAt(this.#state, this.rule)
    return fresh > this.now ? fresh : this.now
  }

  get states(): readonly State[] {
    return [this.#state]
  }

  get allowed(): false {
    return false
  }

  get repeated(): boolean {
    return false
  }

  get passes(): readonly boolean[] {
    return NO
  }

  get starts(): readonly boolean[] {
    return NOTHING
  }

  get penalty(): State {
    return NONE
  }
}

/** The answer of a store that decided one counter alone. */
export type ChargeAnswer = Admitted | Refused

/** The length of a bucket's state without a line and without a clock, and the longest of a window. */
export const SHORT_LENGTH = 5

/**
 * The refusal of a cost by a stored counter that no request changes by it. Undefined if `decide` must decide: the cost fits or never
 * can, a cool-down starts, or the counter has a line.
 */
export function refuseAlone(state: State, rule: Rule, cost: number, now: number): Refused | undefined {
  if (state.length === 0 || cost > rule.capacity) return undefined
  if (rule.code === 't' && state.length > SHORT_LENGTH) return undefined
  const wait = algorithmOf(rule).wait(state, now, cost, rule)
  const cooldown = state[0]! - now
  if (cooldown <= 0 && (wait <= 0 || rule.cooldown > 0)) return undefined
  return new Refused(now, rule, state, wait > cooldown ? wait : cooldown)
}

/** The part of a demand that is needed here. */
interface Ruled {
  readonly rule: Rule
}

/**
 * The evaluation of a group of buckets and windows that a store admitted and charged, without a penalty and without a key. A few numbers
 * tell everything else, which is made when somebody reads it.
 */
export class AdmittedGroup implements Evaluation {
  readonly now: number
  readonly amounts: readonly number[]
  readonly #demands: readonly Ruled[]
  readonly #ends: readonly number[]
  #states: readonly State[] | undefined

  /**
   * @param now the store's clock at the decision, in microseconds
   * @param amounts after the charge: the debt of each demand's bucket in the terms of its rule, or the units used in its window
   * @param ends the end of each demand's window; any number for a bucket
   */
  constructor(now: number, amounts: readonly number[], demands: readonly Ruled[], ends: readonly number[]) {
    this.now = now
    this.amounts = amounts
    this.#demands = demands
    this.#ends = ends
  }

  get allowed(): boolean {
    return true
  }

  get repeated(): boolean {
    return false
  }

  get passes(): readonly boolean[] {
    return this.amounts.map(() => true)
  }

  get starts(): readonly boolean[] {
    return NOTHING
  }

  get states(): readonly State[] {
    return (this.#states ??= this.#demands.map(({ rule }, i) =>
      rule.code === 't'
        ? [0, this.now, this.amounts[i]!, rule.unit, rule.rate]
        : [0, this.#ends[i]!, this.amounts[i]!],
    ))
  }

  get penalty(): State {
    return NONE
  }
}

/** The whole units left in a bucket with this debt, or in a window with so many units used. */
export function unitsLeft({ code, limit, capacity, unit }: Rule, amount: number): number {
  return Math.max(0, code === 't' ? Math.floor((capacity * unit - amount) / unit) : limit - amount)
}
