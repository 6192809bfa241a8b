import { algorithmOf, type Edges, type HeldUnits, NOBODY_AHEAD, type Rule } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { checkOwed, type Cost, givenCost } from '../policy/cost.ts'
import { type Demand, type Group, Mode, PenaltyMode } from '../store/contract.ts'
import { isSameCounter, keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { ruleInForce, evaluationAt } from '../store/reading.ts'
import { countsRepeats } from '../store/beside-demands.ts'
import { shareIn } from '../store/terms.ts'
import type { AppliedCorrection, ChargeRecord } from './charge-record.ts'
import type { CheckResult } from './check-result.ts'
import { claimOf, type Holding, holdingsOf } from './holding.ts'

/** The charge record of a decision that charged something. */
export type ActualCharge = ChargeRecord & { readonly result: CheckResult }

/**
 * Checks the units to which a check is corrected.
 *
 * @throws HaltError `HALT_E_COST` for more than one of its policies could ever owe
 */
export function checkActual(result: CheckResult | undefined, actual: Cost): void {
  for (const [at, policy] of result?.check.policies.entries() ?? [])
    if (policy.algorithm !== 'concurrency')
      checkOwed(actual, policy, (result!.check.demands[at] as Demand).rule)
}

/**
 * Builds the group that corrects a charge to the units really used, and ends the permit of a held cost. Undefined when nothing
 * changes.
 *
 * It does not end requests in flight, because they are not a cost: {@link release} does.
 *
 * @param now the store's clock, in Unix milliseconds
 */
export function settlement(charge: ActualCharge, actual: Cost, now: number): Group | undefined {
  const present = (policy: CompiledPolicy): Edges | undefined => policy.edges(now)
  const each = (policy: PolicyCharge, settle: Settle): void => {
    if (policy.isFlight) return
    const isOpen = policy.isHeld && charge.cost === 'open'
    const delta = usedOf(policy, actual) - (isOpen ? 0 : policy.rest)
    if (isOpen) settle(policy.flight, -1)
    for (const at of [policy.own, policy.address]) {
      const holding = holdingAt(charge, at)
      if (holding === undefined) settle(at, delta)
      else settleHolding(holding, isNamed(policy, actual) ? usedOf(policy, actual) : undefined, settle)
    }
  }
  return correction(charge, each, present)
}

/** The units of a quota that a charge holds, or has paid while its call ran. Undefined where it was charged at once. */
function holdingAt({ open, result }: ActualCharge, at: number | undefined): Holding | undefined {
  const found = open?.holdings.find(holding => holding.at === at)
  return found ?? holdingsOf(result, true).find(holding => holding.at === at && holding.held > 0)
}

/** @param actual the units used; undefined if they are those that the call has told */
function settleHolding(holding: Holding, actual: number | undefined, settle: Settle): void {
  const { at, paid, part, inPart, demand } = holding
  const used = actual ?? (holding.used > 0 ? holding.used : demand.cost)
  // Only what was charged to the last part of the counter can be given back.
  holding.owed = Math.max(0, paid - used - inPart)
  settle(at, Math.max(used - paid, -inPart), { chargedTo: part, held: claimOf(holding) })
}

function isNamed({ policy }: PolicyCharge, actual: Cost): boolean {
  return actual === 0 || givenCost(policy, actual) !== undefined
}

/** Builds the group that charges a held cost and ends its permit. Undefined when no cost is held. */
export function chargeHeldCost(charge: ActualCharge): Group | undefined {
  return correction(charge, (policy, settle) => settleHeld(policy, charge, settle))
}

/**
 * Builds the group that ends a request in flight. It also charges a held cost, unless `chargeWhen` has not answered yet.
 * Undefined when no policy needs either.
 */
export function release(charge: ActualCharge): Group | undefined {
  return correction(charge, (policy, settle) => {
    if (policy.isFlight) settle(policy.own, -policy.rest)
    if (charge.answer !== 'awaited') settleHeld(policy, charge, settle)
  })
}

function settleHeld(
  { isHeld, own, address, flight, rest }: PolicyCharge,
  { cost }: ActualCharge,
  settle: Settle,
): void {
  if (!isHeld || cost === 'decided') return
  settle(flight, -1)
  settle(own, rest)
  settle(address, rest)
}

/** The units that a charge took for the demand at an index, or takes when the request ends. Undefined when it takes none. */
export function chargeAt(charge: ActualCharge, index: number): number | undefined {
  const { check, evaluation } = charge.result
  const demand = check.demands[index]
  if (demand === undefined || !isTaken(demand, index, evaluation)) return undefined
  const own = policiesOf(charge.result).find(({ own: at, address, flight }) =>
    [at, address, flight].includes(index),
  )
  if (own === undefined) return undefined
  if (own.isFlight) return charge.flight === 'ended' ? undefined : demand.cost
  if (index === own.flight) return charge.cost === 'decided' ? undefined : demand.cost
  const { settlement: settled } = charge
  return settled.kind === 'none' ? own.rest : usedOf(own, settled.to)
}

/**
 * Whether a demand took units. A shadow policy that would have refused charged nothing, and a repeated call only its places in flight.
 */
function isTaken({ mode, rule }: Demand, index: number, { passes, repeated }: Evaluation): boolean {
  return passes[index] === true && mode !== Mode.PEEK && (!repeated || countsRepeats(rule))
}

/**
 * A refund of units that nobody has used, so that those behind them in line move up at once.
 *
 * @param inLine the key of the counter whose units are given back with a place
 */
export function unused(refund: Group | undefined, inLine: string | undefined): Group | undefined {
  const demands = refund?.demands.flatMap((demand): Demand[] => {
    if (demand.cost === 0 || keyOfDemand(demand) === inLine) return []
    const isInBucket = algorithmOf(demand.rule).line !== undefined && demand.cost < 0
    return [isInBucket ? { ...demand, terms: { ...demand.terms, place: NOBODY_AHEAD } } : demand]
  })
  return demands === undefined || demands.length === 0 ? undefined : { ...refund, demands }
}

/** A policy of a charge, and the indexes of its demands. */
interface PolicyCharge {
  readonly policy: CompiledPolicy
  /** Whether the policy counts requests in flight. */
  readonly isFlight: boolean
  /** Whether the policy charges its cost when the application decides the response. */
  readonly isHeld: boolean
  /** The cost minus the units that earlier guards charged. */
  readonly rest: number
  /** Units that earlier guards charged. */
  readonly paid: number
  readonly own: number
  readonly address: number | undefined
  readonly flight: number | undefined
}

function policiesOf({ check }: CheckResult): PolicyCharge[] {
  return check.policies.map((policy, own) => {
    const { cost, mode } = check.demands[own] as Demand
    const { at: { address, flight } = {}, paid = 0 } = check.extras?.[own] ?? {}
    const isHeld = mode === Mode.DEFER
    return {
      policy,
      isFlight: policy.algorithm === 'concurrency',
      isHeld,
      // A held demand is judged at its full cost.
      rest: isHeld ? Math.max(0, cost - paid) : cost,
      paid,
      own,
      address,
      flight,
    }
  })
}

// The part of the total use that this guard has to charge. The guards that charged the rest refund it themselves.
function usedOf({ policy, rest, paid }: PolicyCharge, actual: Cost): number {
  // An actual cost of 0 means that the request itself does not count either.
  const used = actual === 0 ? 0 : (givenCost(policy, actual) ?? rest + paid)
  return used > paid ? used - paid : 0
}

/** Adds units to the counter of a demand, or subtracts them, and gives back what it holds. */
type Settle = (at: number | undefined, delta: number, own?: OwnUnits) => void

interface OwnUnits {
  /** The part of the counter that a refund goes to. */
  readonly chargedTo: number
  readonly held: HeldUnits | undefined
}

/** @param edgesOf the edges of a policy's periods around this moment. Default: those of the charge */
function correction(
  { result, taken, recordedIn }: ActualCharge,
  each: (charged: PolicyCharge, settle: Settle) => void,
  edgesOf?: (policy: CompiledPolicy) => Edges | undefined,
): Group | undefined {
  const { check, evaluation } = result
  const demands: Demand[] = []
  for (const charged of policiesOf(result))
    each(charged, (at, delta, own) => {
      const demand = at === undefined ? undefined : check.demands[at]
      if (at === undefined || demand === undefined || !isTaken(demand, at, evaluation)) return
      if (delta === 0 && own?.held === undefined) return
      const rule = ruleInForce(demand, evaluation)
      const terms = own?.held === undefined ? shareIn(demand) : { held: own.held }
      // The charge may be of an earlier period. What is added belongs to the present one.
      const edges =
        edgesOf === undefined || demand.edges === undefined ? demand.edges : edgesOf(charged.policy)
      const before = own?.chargedTo ?? chargedToAt(at, demand, rule, evaluation, taken)
      const chargedTo = delta > 0 && edges !== undefined ? edges[1] : before
      const { fair } = check.policies[at] ?? {}
      // How fast tenants have their turns depends on the numbers of their bucket. A correction must not bring old ones back.
      const isPool = fair !== undefined && recordedIn !== 'local' && algorithmOf(demand.rule).refills
      const latest = isPool ? fair.latest(demand.rule) : demand.rule
      demands.push({ ...demand, rule: latest, edges, mode: Mode.SETTLE, cost: delta, chargedTo, terms })
    })
  if (demands.length === 0) return undefined
  const { penalty } = check
  return { demands, penalty: penalty && { ...penalty, mode: PenaltyMode.READ } }
}

/** The part of the counter that a charge went to. A held cost went to the part that was current when it was charged. */
function chargedToAt(
  at: number,
  demand: Demand,
  rule: Rule,
  evaluation: Evaluation,
  taken: AppliedCorrection | undefined,
): number {
  const later =
    demand.mode === Mode.DEFER && taken !== undefined
      ? taken.group.demands.findIndex(other => isSameCounter(other, demand))
      : -1
  const [index, heard] = later < 0 ? [at, evaluation] : [later, (taken as AppliedCorrection).evaluation]
  return algorithmOf(rule).chargedTo(heard.states[index] ?? [], evaluationAt(heard, index).now, rule)
}
