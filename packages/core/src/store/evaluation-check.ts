import { plainGroup, hasOneAmount } from './known-groups.ts'
import { algorithmOf, type Rule, type State } from '../algorithms/index.ts'
import { isPromise } from '../base/promises.ts'
import { capabilitiesOf } from './capabilities.ts'
import { type Demand, type Group, Mode, type StoreFailure, type Store } from './contract.ts'
import { countersIn } from './counter-key.ts'
import type { Evaluation } from './evaluation.ts'
import { isInstant, isMilliseconds } from './store-clock.ts'
import { areGrants } from './terms.ts'

/** The error for a malformed reply of a store, or of the database behind it. Halt uses no part of such a reply. */
export class StoreMisread extends Error {
  readonly failure: StoreFailure = 'script'
  readonly code = 'HALT_E_STORE_SCRIPT'
  readonly fix: string
  /** Names the counter that cannot be read. Undefined if the whole reply cannot. */
  readonly counter: string | undefined

  constructor(
    message: string,
    fix = 'Let evaluate() return the result of decide() unchanged.',
    counter?: string,
  ) {
    super(message)
    this.fix = fix
    this.counter = counter
  }
}

/** The error for a counter with numbers that this version of Halt does not know. It decides nothing by such a counter. */
export function unknownLayout({ counter }: { readonly counter: string }): StoreMisread {
  return new StoreMisread(
    `the counter "${counter}" was written by a newer version of Halt`,
    'Update Halt in all processes that share the store.',
    counter,
  )
}

/**
 * Checks every field of an evaluation before it is used.
 *
 * @throws StoreMisread if it is not an evaluation of the group
 */
export function checkEvaluation(answer: unknown, group: Group): Evaluation {
  const flaw = flawOf(answer, group)
  if (flaw === undefined) return answer as Evaluation
  throw new StoreMisread(`evaluate() returned no valid evaluation: ${flaw}`, undefined, countersIn(group))
}

/**
 * Checks the milliseconds that a database's clock returned.
 *
 * @throws StoreMisread if they are not an instant
 */
export function checkInstant(ms: unknown): number {
  if (isMilliseconds(ms)) return ms
  throw new StoreMisread(
    `the clock returned ${String(ms)}, which is not an instant`,
    'Return Unix milliseconds.',
  )
}

function flawOf(answer: unknown, { demands }: Group): string | undefined {
  if (typeof answer !== 'object' || answer === null) return 'it is not an object'
  const told = answer as Partial<Evaluation>
  const { now, allowed, repeated, passes, starts, states, shares, penalty } = told
  const { instants, amounts, startsIn, grants } = told
  if (!isInstant(now)) return 'now is not an instant'
  if (typeof allowed !== 'boolean' || typeof repeated !== 'boolean')
    return 'allowed or repeated is not a boolean'
  const { length } = demands
  if (!isList(passes, length, isBoolean)) return 'passes is not a list of one boolean per demand'
  if (!isList(starts, 0, isBoolean) && !isList(starts, length, isBoolean))
    return 'starts is not a list of one boolean per demand'
  if (!isList(states, length, isState)) return 'states is not a list of one counter per demand'
  if (!isState(penalty) || (penalty.length > 0 && penalty.length < PENALTY_LENGTH))
    return 'penalty is not a counter of a penalty'
  if (instants !== undefined && !isList(instants, length, isInstant))
    return 'instants is not a list of one instant per demand'
  if (startsIn !== undefined && !isInstant(startsIn)) return 'startsIn is not a time'
  if (grants !== undefined && !(isList(grants, length, isNumber) && areGrants(grants, demands)))
    return 'grants is not a list of units from the least to the cost of each demand'
  const isInState = ({ rule }: Demand, i: number): boolean =>
    hasOneAmount(rule.code) && states[i]![2] === amounts?.[i]
  if (amounts !== undefined && !(isList(amounts, length, isNumber) && demands.every(isInState)))
    return 'amounts and states disagree'
  if (demands.some(({ terms }) => terms?.share) && !isList(shares, length, isState))
    return 'shares is not a list of one counter per demand'
  for (const [i, { rule, terms }] of demands.entries())
    if (!isWhole(states[i]!, rule) || (terms?.share && !isWhole(shares![i]!, terms.share.rule)))
      return 'a counter misses numbers, or has too many'
  return allowed === demands.every(({ mode }, i) => passes[i] === true || mode === Mode.SHADOW)
    ? undefined
    : 'allowed and passes disagree'
}

const PENALTY_LENGTH = 6

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isState(value: unknown): value is State {
  return Array.isArray(value) && value.every(Number.isFinite)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

/** Whether a counter has every number that its algorithm reads, and none that this version of Halt does not know. */
function isWhole(state: State, rule: Rule): boolean {
  const algorithm = algorithmOf(rule)
  const { length } = state
  return length === 0 || (length > algorithm.idle(0, rule).length && algorithm.reads?.(state) !== false)
}

function isList<T>(
  value: unknown,
  length: number,
  isItem: (item: unknown) => item is T,
): value is readonly T[] {
  return Array.isArray(value) && value.length === length && value.every(isItem)
}

/** Evaluates a group in a store. */
export type Evaluate = (group: Group) => Evaluation | Promise<Evaluation>

/** Asks a store about a group, and passes its answer on; undefined if there is none. */
export type AskStore = (group: Group, heard: (evaluation: Evaluation | undefined) => void) => void

/** Hears an answer of a store about a group that has a quota, also one that comes after the deadline. `ask` asks the store again. */
export type OnAnswer = (group: Group, evaluation: Evaluation, ask: AskStore) => void

/**
 * Makes the function that evaluates groups in a store and checks each evaluation before it is used.
 *
 * @param heard called with each answer about a group that has a quota
 */
export function checkedEvaluate(
  store: Store,
  heard?: (group: Group, evaluation: Evaluation) => void,
): Evaluate {
  // perf: bench "limiter.check(request)"; such a store returns what decide() made.
  const { isChecked } = capabilitiesOf(store)
  // A check also has the policies behind its demands, which a store in another process would send along.
  const plain = store.isSynchronous === true ? (group: Group): Group => group : plainGroup
  const receive = (given: unknown, group: Group): Evaluation => {
    const evaluation = isChecked ? (given as Evaluation) : checkEvaluation(given, group)
    if (heard !== undefined && hasQuota(group)) heard(group, evaluation)
    return evaluation
  }
  return group => {
    const answer: unknown = store.evaluate(plain(group))
    return isPromise(answer)
      ? Promise.resolve(answer).then(given => receive(given, group))
      : receive(answer, group)
  }
}

function hasQuota({ demands }: Group): boolean {
  for (let i = 0; i < demands.length; i++) if (demands[i]?.edges !== undefined) return true
  return false
}
