import {
  type Demand,
  Mode,
  type Group,
  algorithms,
  type AlgorithmCode,
  type Layout,
  type PenaltyDemand,
  PENALTY_COUNTER,
  type Rule,
} from '@halt/core/store'

import type { KeyWriter } from './keys.ts'

// The compiler asks for the kind of a new layout; lua/decide.lua has its arithmetic.
const KINDS: Readonly<Record<Layout, number>> = { bucket: 0, window: 1, 'sub-windows': 2 }
// Sub-windows of places in flight, because a repeated call takes a place of its own.
const IN_FLIGHT = 3
/** The kind of a token bucket in the script. */
export const BUCKET: number = KINDS.bucket

/** The kind of arithmetic of each algorithm in the script. */
export const SCRIPT_KINDS: Readonly<Record<AlgorithmCode, number>> = Object.fromEntries(
  Object.entries(algorithms).map(([code, { layout, isFlight }]) => [
    code,
    isFlight ? IN_FLIGHT : KINDS[layout],
  ]),
) as Record<AlgorithmCode, number>
const PENALIZED = 8

/** The keys and arguments of one call of `decide.lua`. The layout is described there. */
export class ScriptCall {
  readonly keys: string[] = []
  readonly #groups: number[] = []
  readonly #rules: (readonly number[])[] = []
  readonly #ruleIndexes = new Map<object, { readonly at: number; readonly edges: Demand['edges'] }>()
  readonly #key: KeyWriter
  #singleBucket: readonly string[] | undefined
  // Index in #groups of the last run of equal groups, -1 if there is none to append to.
  #run = -1

  constructor(key: KeyWriter) {
    this.#key = key
  }

  /** Adds a group. */
  add({ demands, penalty, idempotency }: Group): void {
    const list = this.#groups
    this.#singleBucket =
      list.length === 0 && penalty === undefined && idempotency === undefined
        ? singleBucketArgs(demands)
        : undefined
    const [demand] = demands
    if (demand !== undefined && demands.length === 1 && penalty === undefined && idempotency === undefined)
      if (this.#appendToRun(demand)) return
    this.#run = -1
    list.push(demands.length, (penalty === undefined ? 0 : 1) + (idempotency === undefined ? 0 : 2))
    if (penalty !== undefined) {
      this.keys.push(this.#key(penalty.subject, PENALTY_COUNTER))
      list.push(this.#penaltyRule(penalty), penalty.mode, penalty.amount)
    }
    if (idempotency !== undefined) {
      this.keys.push(this.#key(idempotency.subject, idempotency.counter))
      if (idempotency.edges === undefined) list.push(idempotency.window)
      else list.push(0, ...idempotency.edges)
    }
    for (const each of demands) {
      this.keys.push(this.#key(each.subject, each.rule.counter))
      list.push(this.#rule(each), each.cost, each.mode + (each.penalized ? PENALIZED : 0))
      if (each.mode === Mode.SETTLE) list.push(each.chargedTo ?? 0)
    }
  }

  /** Appends a group of one demand to a run of equal ones, or begins a run. A settlement is never part of a run. */
  #appendToRun(demand: Demand): boolean {
    const { subject, cost, mode } = demand
    if (mode === Mode.SETTLE) return false
    const [list, at] = [this.#groups, this.#run]
    const rule = this.#rule(demand)
    this.keys.push(this.#key(subject, demand.rule.counter))
    if (at >= 0 && list[at + 1] === rule && list[at + 2] === cost && list[at + 3] === mode)
      list[at] = (list[at] as number) - 1
    else this.#run = list.push(-1, rule, cost, mode) - 4
    return true
  }

  /** The script's arguments. */
  args(clock: string): string[] {
    if (this.#singleBucket !== undefined) return [clock, ...this.#singleBucket]
    return [clock, JSON.stringify([this.#rules, this.#groups])]
  }

  #rule({ rule, edges }: Demand): number {
    const known = this.#ruleIndexes.get(rule)
    if (known !== undefined && known.edges === edges) return known.at
    const reduced = rule.reduced === undefined ? 0 : this.#addRule(rule.reduced, ruleNumbers(rule.reduced, 0))
    return this.#addRule(rule, [...ruleNumbers(rule, reduced), ...(edges ?? [])], edges)
  }

  #penaltyRule({ rule }: PenaltyDemand): number {
    const { threshold, duration, decay, severity, cooldown, factor, maxDuration } = rule
    const numbers = [threshold, duration, decay, severity, cooldown, factor, maxDuration]
    return this.#ruleIndexes.get(rule)?.at ?? this.#addRule(rule, numbers)
  }

  // Indexes count from 1, as in Lua.
  #addRule(owner: object, numbers: readonly number[], edges?: Demand['edges']): number {
    const at = this.#rules.push(numbers)
    this.#ruleIndexes.set(owner, { at, edges })
    return at
  }
}

/** The arguments of the commonest call, one bucket without cool-down or penalty. Undefined for any other call. */
function singleBucketArgs(demands: readonly Demand[]): readonly string[] | undefined {
  const [demand] = demands
  if (demand === undefined || demands.length > 1) return undefined
  const { rule, cost, mode } = demand
  if (
    SCRIPT_KINDS[rule.code] !== BUCKET ||
    mode !== Mode.CHARGE ||
    cost < 1 ||
    cost > rule.capacity ||
    rule.cooldown > 0 ||
    demand.penalized
  )
    return undefined
  return [rule.unit, rule.rate, rule.capacity * rule.unit, cost * rule.unit].map(String)
}

function ruleNumbers(rule: Rule, reduced: number): number[] {
  const { code, capacity, unit, rate, window, slice, precision, cooldown } = rule
  const kind = SCRIPT_KINDS[code]
  const rest = kind === 0 ? [unit, rate] : kind === 1 ? [window] : [window, slice, precision]
  return [kind, cooldown, reduced, capacity, ...rest]
}
