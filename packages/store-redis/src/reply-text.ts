import {
  algorithms,
  DeferredBucket,
  type Demand,
  type Group,
  Mode,
  ruleInForce,
  type State,
  type Evaluation,
} from '@halt/core/store'

import { BUCKET, SCRIPT_KINDS } from './script-protocol.ts'

// Two flags, the wait for a start and the units granted, if any, then the numbers of the penalty, then per demand a sign of its
// result and the numbers of its counter.
const NUMBERS = String.raw`-?\d+(?: -?\d+)*`
const HEAD = String.raw`[01][01](?:@\d+)?(?:\*${NUMBERS})?`
const SHAPE = new RegExp(String.raw`^${HEAD};(?:${NUMBERS})?(?:;(?:\+\d+|[012](?: ${NUMBERS})?))*$`)
const PENALTY_NUMBERS = 6

/** Reads the part of a reply that tells the whole evaluation of a group. Undefined if it cannot come from the script. */
export function readWrittenOut(text: string, group: Group, now: number): Evaluation | undefined {
  if (!SHAPE.test(text)) return undefined
  const [head, penalty, ...fields] = text.split(';') as [string, string, ...string[]]
  const [flags = '', granted] = head.split('*')
  const wait = flags.split('@')[1]
  const { demands } = group
  if (fields.length !== demands.length) return undefined
  const evaluation = {
    now,
    allowed: flags[0] === '1',
    repeated: flags[1] === '1',
    passes: fields.map(field => field.startsWith('1') || field.startsWith('+')),
    starts: fields.map(field => field.startsWith('2')),
    states: [] as State[],
    penalty: penalty === '' ? [] : penalty.split(' ').map(Number),
    startsIn: wait === undefined ? undefined : Number(wait),
    grants: granted?.split(' ').map(Number),
  }
  evaluation.states = fields.map((field, i) => {
    if (!field.startsWith('+')) return field.split(' ').slice(1).map(Number)
    const { unit, rate } = ruleInForce(demands[i] as Demand, evaluation)
    return [0, now, Number(field), unit, rate]
  })
  if (!isSound(evaluation, group) || !hasSoundTerms(evaluation, group)) return undefined
  return deferredBucket(evaluation, group) ?? evaluation
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

/** Whether the script can give this evaluation for the group. */
function isSound({ allowed, repeated, passes, states, penalty }: Evaluation, group: Group): boolean {
  const { demands, idempotency } = group
  if (repeated && idempotency === undefined) return false
  if (allowed !== demands.every(({ mode }, i) => passes[i] || mode === Mode.SHADOW)) return false
  if (penalty.length > 0 && (group.penalty === undefined || penalty.length !== PENALTY_NUMBERS)) return false
  return penalty.every(Number.isFinite) && demands.every((demand, i) => isState(states[i] as State, demand))
}

/** Whether the script can give this start and these grants for the group. */
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
  return mode === Mode.SHADOW || (mode === Mode.CHARGE && SCRIPT_KINDS[rule.code] === BUCKET)
}

function isState(state: State, { rule }: Demand): boolean {
  const kind = SCRIPT_KINDS[rule.code]
  const { length } = state
  const fits =
    kind === BUCKET
      ? length >= 5 && algorithms[rule.code].reads?.(state) !== false
      : kind === 1
        ? length === 3 || length === 4
        : length % 2 === 1
  return (fits || length === 0) && state.every(Number.isSafeInteger)
}
