import {
  AdmittedBucket,
  algorithms,
  DeferredBucket,
  type Demand,
  type Evaluation,
  type Group,
  Mode,
  type State,
} from '@halt/core/store'

import { BUCKET, isLoneBucket, SQL_KINDS, WINDOW } from './call.ts'
import { type StoreError, unexpectedReply } from './store-error.ts'

const NUMBERS = String.raw`-?\d+(?: -?\d+)*`
const ADMITTED = /^(\d{1,16}) (\d{1,16})$/
const SHAPE = new RegExp(
  String.raw`^(\d{1,16});([01])([01]);(\d*);((?:${NUMBERS})?);((?:${NUMBERS})?)((?:;[012](?: ${NUMBERS})?)*)$`,
)
const PENALTY_NUMBERS = 6

/**
 * Reads a reply of `decide_v3`: the evaluation or the error of each group. A group whose line cannot come from the function gets
 * an error.
 *
 * @throws StoreError `HALT_E_STORE_SCRIPT` if the reply as a whole cannot come from the function
 */
export function readReply(reply: unknown, groups: readonly Group[]): (Evaluation | StoreError)[] {
  const lines = typeof reply === 'string' ? reply.split('\n') : []
  if (lines.length !== groups.length) throw unexpectedReply(reply)
  return lines.map((line, i) => readLine(line, groups[i] as Group) ?? unexpectedReply(line))
}

function readLine(line: string, group: Group): Evaluation | undefined {
  const [, now, debt] = ADMITTED.exec(line) ?? []
  if (now !== undefined) return readAdmission(Number(now), Number(debt), group)
  return readWrittenOut(line, group)
}

function readAdmission(now: number, debt: number, group: Group): Evaluation | undefined {
  if (!isLoneBucket(group)) return undefined
  const { rule, cost } = group.demands[0] as Demand
  const isSound = debt >= cost * rule.unit && debt <= rule.capacity * rule.unit && Number.isSafeInteger(now)
  return isSound ? new AdmittedBucket(now, debt, rule) : undefined
}

function readWrittenOut(line: string, group: Group): Evaluation | undefined {
  const parts = SHAPE.exec(line)
  if (parts === null) return undefined
  const [, now, allowed, repeated, wait, grants = '', penalty = '', rest = ''] = parts
  const fields = rest === '' ? [] : rest.slice(1).split(';')
  const { demands } = group
  if (fields.length !== demands.length) return undefined
  const evaluation: Evaluation = {
    now: Number(now),
    allowed: allowed === '1',
    repeated: repeated === '1',
    passes: fields.map(field => field.startsWith('1')),
    starts: fields.map(field => field.startsWith('2')),
    states: fields.map(field => numbersIn(field).slice(1)),
    penalty: numbersIn(penalty),
    startsIn: wait === '' ? undefined : Number(wait),
    grants: grants === '' ? undefined : numbersIn(grants),
  }
  if (!isSound(evaluation, group) || !hasSoundTerms(evaluation, group)) return undefined
  return deferredBucket(evaluation, group) ?? evaluation
}

function numbersIn(text: string): number[] {
  return text === '' ? [] : text.split(' ').map(Number)
}

/** The short form of the evaluation of one bucket that starts later. Undefined if its counter does not tell the whole evaluation. */
function deferredBucket(
  { now, allowed, startsIn, states }: Evaluation,
  { demands, penalty, idempotency }: Group,
): DeferredBucket | undefined {
  if (demands.length !== 1 || penalty !== undefined || idempotency !== undefined) return undefined
  const { rule, terms } = demands[0] as Demand
  if (!allowed || startsIn === undefined || terms?.least !== undefined || terms?.floor) return undefined
  return new DeferredBucket(now, states[0] as State, rule, startsIn)
}

/** Whether the function can give this evaluation for the group. */
function isSound(evaluation: Evaluation, group: Group): boolean {
  const { now, allowed, repeated, passes, states, penalty } = evaluation
  const { demands, idempotency } = group
  if (!Number.isSafeInteger(now) || (repeated && idempotency === undefined)) return false
  if (allowed !== demands.every(({ mode }, i) => passes[i] || mode === Mode.SHADOW)) return false
  if (penalty.length > 0 && (group.penalty === undefined || penalty.length !== PENALTY_NUMBERS)) return false
  return penalty.every(Number.isFinite) && demands.every((demand, i) => isState(states[i] as State, demand))
}

/** Whether the function can give this start and these grants for the group. */
function hasSoundTerms({ allowed, starts, startsIn, grants }: Evaluation, { demands }: Group): boolean {
  if (startsIn !== undefined) {
    const isPatient = demands.some(({ terms }) => (terms?.maxWait ?? -1) >= startsIn)
    if (!isPatient || starts.includes(true)) return false
    if (allowed && !demands.every(canHoldPlace)) return false
  }
  const isGranted = allowed && demands.some(({ terms }) => terms?.least !== undefined)
  if (grants === undefined || !isGranted) return isGranted === (grants !== undefined)
  return (
    grants.length === demands.length &&
    demands.every(({ cost, terms }, i) => grants[i]! <= cost && grants[i]! >= (terms?.least ?? cost))
  )
}

function canHoldPlace({ rule, mode }: Demand): boolean {
  return mode === Mode.SHADOW || (mode === Mode.CHARGE && SQL_KINDS[rule.code] === BUCKET)
}

function isState(state: State, { rule }: Demand): boolean {
  const kind = SQL_KINDS[rule.code]
  const { length } = state
  const fits =
    kind === BUCKET
      ? length >= 5 && algorithms[rule.code].reads?.(state) !== false
      : kind === WINDOW
        ? length === 3 || length === 4
        : length % 2 === 1
  return (fits || length === 0) && state.every(Number.isSafeInteger)
}
