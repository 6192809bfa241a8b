import { blockedUntil } from '../algorithms/index.ts'
import { type AppliedControl, NO_CONTROL } from '../limiter/gate.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type CheckResult, hasCounter } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import { fairShareOf } from './fair-share.ts'
import { countedWithout, type Unreached } from '../policy/reachability.ts'
import type { Caller } from '../request/caller.ts'
import type { ClientIp } from '../request/client-ip.ts'
import type { IdentityKind } from '../request/identity.ts'
import type { Demand } from '../store/contract.ts'
import {
  evaluationAt,
  held,
  isForeignDebt,
  lineOf,
  remaining,
  waitForCost,
  waitForShare,
} from '../store/reading.ts'
import type { Explanation, PolicyExplanation } from './explanation.ts'
import { write } from './explanation-text.ts'

/** The parts of an explanation. */
export interface ExplanationParts {
  readonly decision: Decision | undefined
  readonly policies: readonly CompiledPolicy[]
  readonly caller?: Caller
  /** The kind of the identity. Undefined for a request. */
  readonly kind?: IdentityKind
  readonly unreachable?: readonly Unreached[]
  readonly exemptions?: readonly { readonly policy: CompiledPolicy; readonly why: string | undefined }[]
  readonly walk?: ClientIp
  readonly control?: AppliedControl
}

/** Writes an explanation from a decision that consumed nothing. */
export function explain(parts: ExplanationParts): Explanation {
  const { decision, policies, caller, exemptions, walk, kind, unreachable = [], control = NO_CONTROL } = parts
  const result = Decision.recordOf(decision)?.result
  const { view } = caller ?? {}
  const hops = walk === undefined || view === undefined || caller?.isGiven === true ? [] : walk.walk(view)
  const explained = policies.map(given => {
    // As it decided: with the numbers of operators.
    const at = result?.check.policies.findIndex(({ name }) => name === given.name) ?? -1
    const policy = result?.check.policies[at] ?? given
    const subject = result?.check.demands[at]?.subject
    const verdict = decision?.verdicts.find(one => one.policy === policy.name)
    const exemption = exemptions?.find(entry => entry.policy === given)?.why
    return Object.freeze({
      policy: policy.name,
      algorithm: policy.algorithm,
      limit: policy.limit,
      unit: policy.unit,
      exemption: policy.off ? 'its mode is "off"' : (passOf(control) ?? exemption),
      key: verdict?.key,
      keyFoundBy: caller === undefined ? givenIdentity(policy, kind) : keyFoundBy(policy, caller),
      verdict,
      ...stateOf(policy, result),
      control: subject === undefined ? [] : control.numbersOf(policy.name, subject),
    })
  })
  const given = caller?.isGiven === true ? caller.address?.text : undefined
  // A full counter of a request is a counter of that client. A full counter of an identity may come from a wrong spelling.
  const unused = kind === undefined || decision?.degraded !== false ? [] : unusedOf(result)
  const explanation = { decision, unreachable, control: control.access, hops, policies: explained }
  return Object.freeze({ ...explanation, toString: () => write(explanation, given, kind, unused) })
}

function stateOf(
  { name, cost, limit, capacity }: CompiledPolicy,
  result: CheckResult | undefined,
): Pick<PolicyExplanation, 'before' | 'after' | 'blockedUntil' | 'waits' | 'line' | 'fair' | 'held'> {
  const at = result?.check.policies.findIndex(policy => policy.name === name) ?? -1
  if (result === undefined || at < 0)
    return {
      before: undefined,
      after: undefined,
      blockedUntil: 0,
      waits: [],
      line: undefined,
      fair: undefined,
      held: 0,
    }
  const { check, evaluation } = result
  const demand = check.demands[at] as Demand
  const state = evaluation.states[at] ?? []
  const before = remaining(demand, state, evaluation)
  const line = isForeignDebt(demand, state, evaluation) ? undefined : lineOf(demand, state, evaluation)
  const cooldown = blockedUntil(state)
  const waitOf = (units: number): number =>
    Math.max(waitForCost(demand, state, evaluation, units), waitForShare(demand, at, evaluation, units))
  const costs = [...new Set([1, cost, demand.cost, limit, capacity])].filter(units => units > 0)
  return {
    before,
    after: evaluation.allowed && evaluation.passes[at] === true ? Math.max(0, before - demand.cost) : before,
    blockedUntil: cooldown > evaluationAt(evaluation, at).now ? Math.ceil(cooldown / 1e6) : 0,
    waits: costs.sort((a, b) => a - b).map(units => ({ cost: units, seconds: waitOf(units) / 1e6 })),
    line: line && { units: line.units, seconds: line.micros / 1e6 },
    fair: fairShareOf(at, check, evaluation),
    held: held(demand, state, evaluation),
  }
}

/** The names of the policies whose counters hold nothing. */
function unusedOf(result: CheckResult | undefined): string[] {
  const policies = result?.check.policies.filter(policy => !hasCounter(policy, result))
  return policies?.map(({ name }) => name) ?? []
}

function passOf({ access }: AppliedControl): string | undefined {
  return access?.kind === 'allow' ? 'an operator lets the client pass' : undefined
}

function givenIdentity(policy: CompiledPolicy, kind: IdentityKind | undefined): string {
  const id = kind && countedWithout(policy, kind, [policy])
  return `the given identity${id === undefined ? '' : `, for requests without ${id}`}`
}

function keyFoundBy(policy: CompiledPolicy, caller: Caller): string {
  if (policy.keyExtractor !== undefined) return 'the key extractor, else onMissingKey'
  return (
    caller.key(policy.keyStrategy)?.how ??
    `no ${policy.keyStrategy} found: onMissingKey "${policy.onMissingKey}"`
  )
}
