import {
  type Demand,
  type Group,
  Mode,
  type Terms,
  ALGORITHM_KINDS,
  BUCKET,
  isLoneBucket,
  PENALTY_COUNTER,
  type PenaltyDemand,
  penaltyNumbers,
  type Rule,
  termNumbers,
  WINDOW,
} from '@halt/core/store'
import type { KeyWriter } from './keys.ts'

/** The numbers of a share's rule that the script reads. */
const NUMBERS = ['capacity', 'unit', 'rate', 'window', 'slice', 'precision', 'cooldown'] as const

/**
 * Whether two groups differ only in their keys. Settlements, idempotent groups and most terms are rare, so they never count as alike.
 */
function areAlike(a: Group, b: Group): boolean {
  const { length } = a.demands
  if (length !== b.demands.length || a.idempotency !== undefined || b.idempotency !== undefined) return false
  if (a.penalty?.rule !== b.penalty?.rule) return false
  if (a.penalty?.mode !== b.penalty?.mode || a.penalty?.amount !== b.penalty?.amount) return false
  for (let i = 0; i < length; i++) {
    const one = a.demands[i] as Demand
    const other = b.demands[i] as Demand
    if (one.cost !== other.cost || one.mode !== other.mode || one.mode === Mode.SETTLE) return false
    if (one.penalized !== other.penalized || one.edges !== other.edges) return false
    if (one.terms === undefined && other.terms === undefined) {
      if (one.rule !== other.rule) return false
    } else if (!areSharesAlike(one, other)) return false
  }
  return true
}

/** Whether two demands are about own counters of two tenants with equal shares. */
function areSharesAlike({ rule, terms }: Demand, { rule: otherRule, terms: otherTerms }: Demand): boolean {
  if (terms === undefined || otherTerms === undefined) return false
  if (!isShareAlone(terms) || !isShareAlone(otherTerms)) return false
  if (terms.share!.weight !== otherTerms.share!.weight || rule.code !== otherRule.code) return false
  return NUMBERS.every(name => rule[name] === otherRule[name])
}

/** Whether terms are a share and nothing else, without a ticket. */
function isShareAlone({ maxWait, least, headroom, place, held, keptFor, share }: Terms): boolean {
  if (maxWait || least !== undefined || headroom || place !== undefined || keptFor || held !== undefined)
    return false
  return share !== undefined && !share.ticket && share.wantsTicket !== true
}

// Added to the mode of a demand: under a penalty; with terms; with a share of a pool.
const PENALIZED = 16
const WITH_TERMS = 32

/** The keys of one call of `decide.lua`, and its arguments after the clock. The layout is described there. */
export interface ScriptCall {
  readonly keys: readonly string[]
  readonly args: readonly string[]
}

/**
 * Writes the call that evaluates groups, of which each demand has one counter.
 *
 * @param second the second that the server's clock is expected to show; empty if none is
 */
export function scriptCall(groups: readonly Group[], key: KeyWriter, second: string): ScriptCall {
  const only = groups.length === 1 ? (groups[0] as Group) : undefined
  const alone = only && (loneBucket(only, key, second) ?? loneFairCheck(only, key))
  return alone ?? new GroupList(groups, key)
}

/** The call for one bucket and nothing else, the commonest. Undefined for any other group. */
function loneBucket(group: Group, key: KeyWriter, second: string): ScriptCall | undefined {
  if (!isLoneBucket(group)) return undefined
  const { rule, cost, subject } = group.demands[0] as Demand
  if (cost > rule.capacity) return undefined
  const { unit, rate, capacity, cooldown } = rule
  const args = [`${unit}`, `${capacity * unit}`, second]
  // perf: bench "redis"; each argument takes 0.1 µs of the server, so those with their usual values are left out.
  if (rate !== 1 || cost !== 1 || cooldown !== 0) args.push(`${rate}`)
  if (cost !== 1 || cooldown !== 0) args.push(`${cost * unit}`)
  if (cooldown !== 0) args.push(`${cooldown}`)
  return { keys: [key(subject, rule.counter)], args }
}

/** The call for one check of a bucket that tenants share. Undefined for any other group. */
function loneFairCheck({ demands, penalty, idempotency }: Group, key: KeyWriter): ScriptCall | undefined {
  const [pool, tag] = demands
  const terms = tag?.terms
  if (demands.length !== 2 || pool === undefined || terms?.share === undefined) return undefined
  if (penalty !== undefined || idempotency !== undefined || !chargesSharedBucket(pool, tag as Demand))
    return undefined
  const { rule, cost, subject } = pool
  const { unit, rate, capacity } = rule
  const numbers = [unit, capacity, 0, rate, cost, 0, terms.share.weight]
  return {
    keys: [key(subject, rule.counter), key(subject, (tag as Demand).rule.counter)],
    args: numbers.map(String),
  }
}

/** Whether a check charges a bucket, and a tenant's tag beside it without a ticket or a wait. */
function chargesSharedBucket(pool: Demand, tag: Demand): boolean {
  if (ALGORITHM_KINDS[pool.rule.code] !== BUCKET || tag.cost !== pool.cost || tag.subject !== pool.subject)
    return false
  if (pool.mode !== Mode.CHARGE || tag.mode !== Mode.CHARGE || pool.cost <= 0) return false
  if (pool.terms !== undefined || pool.penalized || tag.penalized || pool.edges !== undefined) return false
  return tag.terms?.share !== undefined && isShareAlone(tag.terms)
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
      if (terms !== undefined) numbers.push(...termNumbers(demand))
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
    return this.#ruleIndexes.get(rule)?.at ?? this.#addRule(rule, penaltyNumbers(rule))
  }

  // Indexes count from 1, as in Lua.
  #addRule(owner: object, numbers: readonly number[], edges?: Demand['edges']): number {
    const at = this.#rules.push(numbers)
    this.#ruleIndexes.set(owner, { at, edges })
    return at
  }
}

function ruleNumbers(rule: Rule, reduced: number): number[] {
  const { code, capacity, unit, rate, window, slice, precision, cooldown } = rule
  const kind = ALGORITHM_KINDS[code]
  const rest = kind === BUCKET ? [unit, rate] : kind === WINDOW ? [window] : [window, slice, precision]
  return [kind, cooldown, reduced, capacity, ...rest]
}
