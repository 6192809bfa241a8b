import { algorithmOf, type Rule } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Cost, givenCost } from '../policy/cost.ts'
import type { CheckResult } from './check-result.ts'
import type { AppliedCorrection, ChargeRecord } from './decision.ts'
import {
  type CounterId,
  type Demand,
  type Group,
  Mode,
  PenaltyMode,
  type Evaluation,
} from '../store/contract.ts'
import { countsRepeats } from '../store/decide.ts'
import { ruleInForce, evaluationAt } from '../store/reading.ts'

/** The record of a decision that charged something. */
export type ActualCharge = ChargeRecord & { readonly result: CheckResult }

/**
 * The group that corrects a charge to what was really used, and ends the lease of a held cost; undefined when nothing
 * changes.
 *
 * Requests in flight are not a cost: {@link release} ends them.
 */
export function settlement(charge: ActualCharge, actual: Cost): Group | undefined {
  return correction(charge, (policy, settle) => {
    if (policy.isFlight) return
    const isOpen = policy.isHeld && !charge.decided
    const delta = usedOf(policy, actual) - (isOpen ? 0 : policy.rest)
    if (isOpen) settle(policy.lease, -1)
    settle(policy.at, delta)
    settle(policy.addressCeiling, delta)
  })
}

/** The group that takes a held cost and ends its lease; undefined when nothing is held. */
export function takeHeldCost(charge: ActualCharge): Group | undefined {
  return correction(charge, (policy, settle) => take(policy, charge, settle))
}

/**
 * The group that ends a request in flight, and takes a held cost unless the application is being asked for it; undefined when
 * no policy asks for either.
 */
export function release(charge: ActualCharge): Group | undefined {
  return correction(charge, (policy, settle) => {
    if (policy.isFlight) settle(policy.at, -policy.rest)
    if (!charge.awaited) take(policy, charge, settle)
  })
}

function take(
  { isHeld, at, addressCeiling, lease, rest }: PolicyCharge,
  { decided }: ActualCharge,
  settle: Settle,
): void {
  if (!isHeld || decided) return
  settle(lease, -1)
  settle(at, rest)
  settle(addressCeiling, rest)
}

/** The units that a charge has taken, or takes at its end, by the place of a demand; undefined where it takes none. */
export function chargeAt(charge: ActualCharge, index: number): number | undefined {
  const { check, evaluation } = charge.result
  const demand = check.demands[index]
  if (demand === undefined || !isTaken(demand, index, evaluation)) return undefined
  const own = policiesOf(charge.result).find(({ at, addressCeiling, lease }) =>
    [at, addressCeiling, lease].includes(index),
  )
  if (own === undefined) return undefined
  if (own.isFlight) return charge.released ? undefined : demand.cost
  if (index === own.lease) return charge.decided ? undefined : demand.cost
  return charge.settled === undefined ? own.rest : usedOf(own, charge.settled)
}

// A shadow policy that would have refused took nothing, and a repeated call only its places in flight.
function isTaken({ mode, rule }: Demand, index: number, { passes, repeated }: Evaluation): boolean {
  return passes[index] === true && mode !== Mode.PEEK && (!repeated || countsRepeats(rule))
}

/** A policy of a charge, and the places of its demands; -1 where it has none. */
interface PolicyCharge {
  readonly policy: CompiledPolicy
  /** Whether it counts requests in flight. */
  readonly isFlight: boolean
  /** Whether it takes what it costs when the response is decided. */
  readonly isHeld: boolean
  /** What it costs, without what guards before have charged. */
  readonly rest: number
  /** Units that guards before have charged. */
  readonly paid: number
  readonly at: number
  readonly addressCeiling: number
  readonly lease: number
}

function policiesOf({ check }: CheckResult): PolicyCharge[] {
  return check.policies.map((policy, at) => {
    const { cost, mode } = check.demands[at] as Demand
    const { addressCeiling = -1, lease = -1, paid = 0 } = check.extras?.[at] ?? {}
    const isHeld = mode === Mode.HOLD
    return {
      policy,
      isFlight: policy.algorithm === 'concurrency',
      isHeld,
      // What is held is judged by all that it costs.
      rest: isHeld ? Math.max(0, cost - paid) : cost,
      paid,
      at,
      addressCeiling,
      lease,
    }
  })
}

// Of what was used in all. What guards before have charged of it is theirs to give back.
function usedOf({ policy, rest, paid }: PolicyCharge, actual: Cost): number {
  // Nothing at all was used: then not even the request counts.
  const used = actual === 0 ? 0 : (givenCost(policy, actual) ?? rest + paid)
  return used > paid ? used - paid : 0
}

/** Adds units to the counter of a demand, or takes them off. */
type Settle = (at: number, delta: number) => void

function correction(
  { result, taken }: ActualCharge,
  each: (charged: PolicyCharge, settle: Settle) => void,
): Group | undefined {
  const { check, evaluation } = result
  const demands: Demand[] = []
  const settle: Settle = (at, delta) => {
    const demand = check.demands[at]
    if (delta === 0 || demand === undefined || !isTaken(demand, at, evaluation)) return
    const rule = ruleInForce(demand, evaluation)
    const chargedTo = chargedToAt(at, demand, rule, evaluation, taken)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: delta, chargedTo })
  }
  for (const charged of policiesOf(result)) each(charged, settle)
  if (demands.length === 0) return undefined
  const { penalty } = check
  return { demands, penalty: penalty && { ...penalty, mode: PenaltyMode.READ } }
}

// What a charge went to: a held cost, when it was taken.
function chargedToAt(
  at: number,
  { mode, subject, rule: { counter } }: Demand,
  rule: Rule,
  evaluation: Evaluation,
  taken: AppliedCorrection | undefined,
): number {
  const later =
    mode === Mode.HOLD && taken !== undefined
      ? taken.group.demands.findIndex(other => other.subject === subject && other.rule.counter === counter)
      : -1
  const [index, heard] = later < 0 ? [at, evaluation] : [later, (taken as AppliedCorrection).evaluation]
  return algorithmOf(rule).chargedTo(heard.states[index] ?? [], evaluationAt(heard, index).now, rule)
}

/** The counters that a decision counted on, of some policies; never quotas'. */
export function countersOf({ check }: CheckResult, policies: readonly CompiledPolicy[]): CounterId[] {
  const names = new Set(policies.map(({ name }) => name))
  const demands = check.policies.flatMap(({ name, calendar }, at) => {
    const { addressCeiling = -1, lease = -1 } = check.extras?.[at] ?? {}
    const indexes = calendar !== undefined || !names.has(name) ? [] : [at, addressCeiling, lease]
    return indexes.flatMap(index => check.demands[index] ?? [])
  })
  return countersOfGroup({ demands })
}

/** The counters that a charge touched. */
export function countersOfGroup(group: Group): CounterId[] {
  return group.demands.map(({ subject, rule }) => ({ subject, counter: rule.counter }))
}
