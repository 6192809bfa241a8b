import { algorithmOf, type State } from '../algorithms/index.ts'
import { type Demand, type Group, Mode, type StoreFailure, type Evaluation } from './contract.ts'

/** A store, or the database behind it, answered what it may not: nothing of it is believed. */
export class StoreMisread extends Error {
  readonly failure: StoreFailure = 'script'
  readonly code = 'HALT_E_STORE_SCRIPT'
  readonly fix: string

  constructor(message: string, fix = 'Let evaluate() return the verdict of decide() as it is.') {
    super(message)
    this.fix = fix
  }
}

/**
 * Checks a verdict whole before it is believed.
 *
 * @throws StoreMisread for what is no verdict on the group
 */
export function checkVerdict(answer: unknown, group: Group): Evaluation {
  const flaw = flawOf(answer, group)
  if (flaw === undefined) return answer as Evaluation
  throw new StoreMisread(`evaluate() gave no verdict: ${flaw}`)
}

/**
 * Checks an instant that a database's clock gave, milliseconds.
 *
 * @throws StoreMisread for what is none
 */
export function checkInstant(ms: unknown): number {
  if (isInstant(ms)) return ms
  throw new StoreMisread(`the clock gave no instant, but ${String(ms)}`, 'Give Unix milliseconds.')
}

function flawOf(answer: unknown, { demands }: Group): string | undefined {
  if (typeof answer !== 'object' || answer === null) return 'it is no object'
  const { now, allowed, repeated, passes, starts, states, penalty, instants } = answer as Partial<Evaluation>
  if (!isInstant(now)) return 'now is no instant'
  if (typeof allowed !== 'boolean' || typeof repeated !== 'boolean') return 'allowed or repeated is not said'
  const { length } = demands
  if (!isList(passes, length, isBoolean)) return 'passes is no list of booleans, one a demand'
  if (!isList(starts, 0, isBoolean) && !isList(starts, length, isBoolean))
    return 'starts is no list of booleans, one a demand'
  if (!isList(states, length, isState)) return 'states is no list of counters, one a demand'
  if (!isState(penalty) || (penalty.length > 0 && penalty.length < PENALTY_LENGTH)) return 'penalty is none'
  if (instants !== undefined && !isList(instants, length, isInstant))
    return 'instants is no list of instants, one a demand'
  for (let i = 0; i < length; i++)
    if (!isWhole(states[i] as State, demands[i] as Demand)) return 'a counter is cut'
  return allowed === demands.every(({ mode }, i) => passes[i] === true || mode === Mode.SHADOW)
    ? undefined
    : 'allowed and passes disagree'
}

const PENALTY_LENGTH = 6

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean'
}

function isState(value: unknown): value is State {
  return Array.isArray(value) && value.every(Number.isFinite)
}

/** Whether a counter has all the numbers that its algorithm reads. */
function isWhole({ length }: State, { rule }: Demand): boolean {
  return length === 0 || length > algorithmOf(rule).idle(0, rule).length
}

function isList<T>(
  value: unknown,
  length: number,
  isItem: (item: unknown) => item is T,
): value is readonly T[] {
  return Array.isArray(value) && value.length === length && value.every(isItem)
}
