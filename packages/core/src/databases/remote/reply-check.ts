import { algorithms, type State } from '../../algorithms/index.ts'
import { Admitted } from '../../store/admitted.ts'
import { type Demand, type Group, Mode } from '../../store/contract.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { areGrants, hasLeast, isDemandAlone } from '../../store/terms.ts'
import { ALGORITHM_KINDS, BUCKET, TAG, WINDOW } from './demand-numbers.ts'

const PENALTY_NUMBERS = 6

/**
 * Checks an evaluation that was read from a server's reply, more strictly than `checkEvaluation`: every number is a whole one, and
 * all fields agree with the group. Returns its short form, if it has one. Undefined if no server of Halt can have given it.
 */
export function checkReply(evaluation: Evaluation, group: Group): Evaluation | undefined {
  if (!isSound(evaluation, group) || !hasSoundTerms(evaluation, group)) return undefined
  return deferredBucket(evaluation, group) ?? evaluation
}

/** The short form of the evaluation of one bucket that starts later. Undefined if its counter does not tell the whole evaluation. */
function deferredBucket({ now, allowed, startsIn, states }: Evaluation, group: Group): Admitted | undefined {
  const [demand] = group.demands
  if (demand === undefined || !allowed || startsIn === undefined || !isDemandAlone(group)) return undefined
  return new Admitted(now, demand.rule, states[0]?.[2], states[0], startsIn)
}

function isSound(evaluation: Evaluation, group: Group): boolean {
  const { now, allowed, repeated, passes, states, penalty } = evaluation
  const { demands, idempotency } = group
  if (!Number.isSafeInteger(now) || (repeated && idempotency === undefined)) return false
  if (allowed !== demands.every(({ mode }, i) => passes[i] || mode === Mode.SHADOW)) return false
  if (penalty.length > 0 && (group.penalty === undefined || penalty.length !== PENALTY_NUMBERS)) return false
  return penalty.every(Number.isFinite) && demands.every((demand, i) => isState(states[i] as State, demand))
}

/** Whether the start and the grants fit the group. */
function hasSoundTerms({ allowed, starts, startsIn, grants }: Evaluation, { demands }: Group): boolean {
  if (startsIn !== undefined) {
    const isPatient = demands.some(({ terms }) => (terms?.maxWait ?? -1) >= startsIn)
    if (!isPatient || starts.includes(true)) return false
    if (allowed && !demands.every(canHoldPlace)) return false
  }
  const isGranted = allowed && hasLeast(demands)
  if (grants === undefined || !isGranted) return isGranted === (grants !== undefined)
  return grants.length === demands.length && areGrants(grants, demands)
}

function canHoldPlace({ rule, mode }: Demand): boolean {
  const kind = ALGORITHM_KINDS[rule.code]
  if (mode === Mode.SHADOW || mode >= Mode.SETTLE) return true
  return mode === Mode.CHARGE && (kind === BUCKET || kind === TAG)
}

function isState(state: State, { rule }: Demand): boolean {
  const kind = ALGORITHM_KINDS[rule.code]
  const { length } = state
  const fits =
    kind === BUCKET
      ? length >= 5 && algorithms[rule.code].reads?.(state) !== false
      : kind === WINDOW
        ? length >= 3 && algorithms[rule.code].reads?.(state) !== false
        : kind === TAG
          ? algorithms[rule.code].reads?.(state) === true
          : length % 2 === 1
  return (fits || length === 0) && state.every(Number.isSafeInteger)
}
