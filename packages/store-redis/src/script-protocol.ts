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
  type Terms,
} from '@halt/core/store'

import type { KeyWriter } from './keys.ts'

// The compiler asks for the kind of a new layout; lua/decide.lua has its arithmetic.
const KINDS: Readonly<Record<Layout, number>> = { bucket: 0, window: 1, 'sub-windows': 2 }
// Sub-windows of places in flight, because a repeated call takes a place of its own.
const IN_FLIGHT = 3
/** The kind of a token bucket in the script. */
export const BUCKET: number = KINDS.bucket
/** The kind of a fixed window and of a quota in the script. */
export const WINDOW: number = KINDS.window

/** The kind of arithmetic of each algorithm in the script. */
export const SCRIPT_KINDS: Readonly<Record<AlgorithmCode, number>> = Object.fromEntries(
  Object.entries(algorithms).map(([code, { layout, isFlight }]) => [
    code,
    isFlight ? IN_FLIGHT : KINDS[layout],
  ]),
) as Record<AlgorithmCode, number>
// Added to the mode of a demand: under a penalty; with terms.
const PENALIZED = 16
const WITH_TERMS = 32

/** The keys of one call of `decide.lua`, and its arguments after the clock. The layout is described there. */
export interface ScriptCall {
  readonly keys: readonly string[]
  readonly args: readonly string[]
}

/**
 * Writes the call that evaluates groups.
 *
 * @param second the second that the server's clock is expected to show; empty if none is
 */
export function scriptCall(groups: readonly Group[], key: KeyWriter, second: string): ScriptCall {
  return (groups.length === 1 && loneBucket(groups[0] as Group, key, second)) || new GroupList(groups, key)
}

/** The call for one bucket and nothing else, the commonest. Undefined for any other group. */
function loneBucket(
  { demands, penalty, idempotency }: Group,
  key: KeyWriter,
  second: string,
): ScriptCall | undefined {
  if (demands.length !== 1 || penalty !== undefined || idempotency !== undefined) return undefined
  const { rule, cost, mode, subject, terms } = demands[0] as Demand
  const isCharge = mode === Mode.CHARGE && cost >= 1 && cost <= rule.capacity && terms === undefined
  if (SCRIPT_KINDS[rule.code] !== BUCKET || !isCharge) return undefined
  const { unit, rate, capacity, cooldown } = rule
  const args = [`${unit}`, `${capacity * unit}`, second]
  // perf: bench "redis"; each argument takes 0.1 µs of the server, so those with their usual values are left out.
  if (rate !== 1 || cost !== 1 || cooldown !== 0) args.push(`${rate}`)
  if (cost !== 1 || cooldown !== 0) args.push(`${cost * unit}`)
  if (cooldown !== 0) args.push(`${cooldown}`)
  return { keys: [key(subject, rule.counter)], args }
}

/** The call for any groups. */
class GroupList implements ScriptCall {
  readonly keys: string[] = []
  readonly #numbers: number[] = []
  readonly #rules: (readonly number[])[] = []
  readonly #ruleIndexes = new Map<object, { readonly at: number; readonly edges: Demand['edges'] }>()
  readonly #key: KeyWriter

  constructor(groups: readonly Group[], key: KeyWriter) {
    this.#key = key
    let run = 0
    let previous: Group | undefined
    for (const group of groups) {
      this.#addKeys(group)
      if (previous !== undefined && areAlike(previous, group)) this.#numbers[run]!++
      else {
        run = this.#numbers.length
        this.#addRun(group)
      }
      previous = group
    }
  }

  get args(): string[] {
    return [JSON.stringify([this.#rules, this.#numbers])]
  }

  #addKeys({ demands, penalty, idempotency }: Group): void {
    const { keys } = this
    if (penalty !== undefined) keys.push(this.#key(penalty.subject, PENALTY_COUNTER))
    if (idempotency !== undefined) keys.push(this.#key(idempotency.subject, idempotency.counter))
    for (const { subject, rule } of demands) keys.push(this.#key(subject, rule.counter))
  }

  /** Begins a run of groups that differ only in their keys. */
  #addRun({ demands, penalty, idempotency }: Group): void {
    const numbers = this.#numbers
    const flags = (penalty === undefined ? 0 : 1) + (idempotency === undefined ? 0 : 2)
    // The fast paths of the script leave a group with terms to the general one.
    numbers.push(1, demands.length, demands.some(({ terms }) => terms !== undefined) ? flags + 4 : flags)
    if (penalty !== undefined) numbers.push(this.#penaltyRule(penalty), penalty.mode, penalty.amount)
    if (idempotency !== undefined) {
      if (idempotency.edges === undefined) numbers.push(idempotency.window)
      else numbers.push(0, ...idempotency.edges)
    }
    for (const demand of demands) {
      const { cost, mode, penalized, chargedTo, terms } = demand
      const marks = (penalized ? PENALIZED : 0) + (terms === undefined ? 0 : WITH_TERMS)
      numbers.push(this.#rule(demand), cost, mode + marks)
      if (terms !== undefined) numbers.push(...termNumbers(terms))
      if (mode === Mode.SETTLE) numbers.push(chargedTo ?? 0)
    }
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

/**
 * Whether two groups differ only in their keys. Settlements, terms and idempotent groups are rare, so they never count as alike.
 */
function areAlike(a: Group, b: Group): boolean {
  const { length } = a.demands
  if (length !== b.demands.length || a.idempotency !== undefined || b.idempotency !== undefined) return false
  if (a.penalty?.rule !== b.penalty?.rule) return false
  if (a.penalty?.mode !== b.penalty?.mode || a.penalty?.amount !== b.penalty?.amount) return false
  for (let i = 0; i < length; i++) {
    const one = a.demands[i] as Demand
    const other = b.demands[i] as Demand
    if (one.rule !== other.rule || one.cost !== other.cost || one.mode !== other.mode) return false
    if (one.penalized !== other.penalized || one.edges !== other.edges || one.mode === Mode.SETTLE)
      return false
    if (one.terms !== undefined || other.terms !== undefined) return false
  }
  return true
}

function termNumbers(terms: Terms): number[] {
  const { maxWait = 0, least = -1, floor = 0, holdFor = 0, heldSince = 0, place } = terms
  // The script tells waits in whole microseconds.
  const { position = -1, born = 0 } = place ?? {}
  return [Math.floor(maxWait), least, floor, holdFor, heldSince, position, born]
}

function ruleNumbers(rule: Rule, reduced: number): number[] {
  const { code, capacity, unit, rate, window, slice, precision, cooldown } = rule
  const kind = SCRIPT_KINDS[code]
  const rest = kind === 0 ? [unit, rate] : kind === 1 ? [window] : [window, slice, precision]
  return [kind, cooldown, reduced, capacity, ...rest]
}
