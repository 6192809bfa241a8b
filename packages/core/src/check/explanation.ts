import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { CheckResult } from './check-result.ts'
import { Decision } from './decision.ts'
import type { PolicyVerdict } from './policy-verdict.ts'
import { inBraces, type Unreached } from '../policy/reachability.ts'
import type { Caller } from '../request/caller.ts'
import type { ClientIp, Hop } from '../request/client-ip.ts'
import type { IdentityKind } from '../request/identity.ts'
import type { Demand } from '../store/contract.ts'
import { lineOf, remaining, waitForCost } from '../store/reading.ts'

/** One policy in an explanation. */
export interface PolicyExplanation {
  readonly policy: string
  readonly algorithm: string
  readonly limit: number
  /** Why the policy does not count the request; undefined when it does. */
  readonly exemption: string | undefined
  /** The owner of the counter, and how Halt found it; undefined when the policy counts nothing. */
  readonly key: string | undefined
  readonly keyFoundBy: string | undefined
  readonly verdict: PolicyVerdict | undefined
  /** Units left now, and after the request if it is allowed; undefined when no counter was read. */
  readonly before: number | undefined
  readonly after: number | undefined
  /** How long each of several costs has to wait if no other request comes. */
  readonly waits: readonly CostWait[]
  /** The line in front of a token bucket. Undefined when nobody waits for this counter. */
  readonly line: Line | undefined
}

/** The units that were charged and wait for their turn. A settlement that overdraws a counter counts as well. */
interface Line {
  /** How many units wait, rounded up: the number of callers if each of them asks for one unit. */
  readonly units: number
  /** Seconds until the last of them starts, exact to the microsecond. */
  readonly seconds: number
}

/** How long a cost has to wait. */
interface CostWait {
  readonly cost: number
  /** Seconds, exact to the microsecond; 0 when the cost passes now, `Infinity` when it can never pass. */
  readonly seconds: number
}

/** Why a request would be allowed or refused: the key and how it was found, each proxy hop, each policy. */
export interface Explanation {
  /**
   * Undefined for an identity under which no policy counts. {@link Explanation.unreachable} names the identities to use
   * instead.
   */
  readonly decision: Decision | undefined
  /** The policies that never count requests under the identity, and what names their counters. Empty for a request. */
  readonly unreachable: readonly Unreached[]
  /** The hops from the socket to the client, and why Halt trusted each of them or did not. */
  readonly hops: readonly Hop[]
  readonly policies: readonly PolicyExplanation[]
  /** The whole explanation as text. */
  toString(): string
}

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
}

/** Writes an explanation from a decision that consumed nothing. */
export function explain(parts: ExplanationParts): Explanation {
  const { decision, policies, caller, exemptions, walk, kind, unreachable = [] } = parts
  const result = Decision.recordOf(decision)?.result
  const { view } = caller ?? {}
  const hops = walk === undefined || view === undefined || caller?.isGiven === true ? [] : walk.walk(view)
  const explained = policies.map(policy => {
    const verdict = decision?.verdicts.find(one => one.policy === policy.name)
    const exemption = exemptions?.find(entry => entry.policy === policy)?.why
    return Object.freeze({
      policy: policy.name,
      algorithm: policy.algorithm,
      limit: policy.limit,
      exemption: policy.off ? 'its mode is "off"' : exemption,
      key: verdict?.key,
      keyFoundBy: caller === undefined ? 'the given identity' : keyFoundBy(policy, caller),
      verdict,
      ...stateOf(policy, result),
    })
  })
  const given = caller?.isGiven === true ? caller.address?.text : undefined
  const explanation = { decision, unreachable, hops, policies: explained }
  return Object.freeze({ ...explanation, toString: () => write(explanation, given, kind) })
}

function stateOf(
  { name, cost, limit, capacity }: CompiledPolicy,
  result: CheckResult | undefined,
): Pick<PolicyExplanation, 'before' | 'after' | 'waits' | 'line'> {
  const at = result?.check.policies.findIndex(policy => policy.name === name) ?? -1
  if (result === undefined || at < 0)
    return { before: undefined, after: undefined, waits: [], line: undefined }
  const { check, evaluation } = result
  const demand = check.demands[at] as Demand
  const state = evaluation.states[at] ?? []
  const before = remaining(demand, state, evaluation)
  const line = lineOf(demand, state, evaluation)
  const costs = [...new Set([1, cost, demand.cost, limit, capacity])].filter(units => units > 0)
  return {
    before,
    after: evaluation.allowed && evaluation.passes[at] === true ? Math.max(0, before - demand.cost) : before,
    waits: costs
      .sort((a, b) => a - b)
      .map(units => ({ cost: units, seconds: waitForCost(demand, state, evaluation, units) / 1e6 })),
    line: line && { units: line.units, seconds: line.micros / 1e6 },
  }
}

function keyFoundBy(policy: CompiledPolicy, caller: Caller): string {
  if (policy.keyExtractor !== undefined) return 'the key extractor, else onMissingKey'
  return (
    caller.key(policy.keyStrategy)?.how ??
    `no ${policy.keyStrategy} found: onMissingKey "${policy.onMissingKey}"`
  )
}

function write(
  { decision, unreachable, hops, policies }: Omit<Explanation, 'toString'>,
  given: string | undefined,
  kind: IdentityKind | undefined,
): string {
  const lines = [conclusionOf(decision, unreachable, kind)]
  if (decision !== undefined && decision.degraded !== false)
    lines.push(`  the store did not answer: onStoreError "${decision.degraded}" decided`)
  if (given !== undefined) lines.push(`  from ${JSON.stringify(given)}: given by clientIp`)
  for (const { address, why } of hops) lines.push(`  from ${JSON.stringify(address)}: ${why}`)
  for (const { policy, algorithm, exemption, key, keyFoundBy: how, verdict, waits, line } of policies) {
    if (verdict === undefined) {
      lines.push(`  ${policy} (${algorithm}): not counted${exemption === undefined ? '' : `, ${exemption}`}`)
      continue
    }
    const refuses = verdict.mode === 'shadow' ? 'only reports, would refuse' : 'refuses'
    const wait = verdict.allowed ? 'passes' : `${refuses}: ${verdict.reason}, ${inTime(verdict.retryAfter)}`
    lines.push(
      `  ${policy} (${algorithm}) for ${JSON.stringify(key)} by ${how}: ${leftOf(verdict)} left, ${wait}`,
    )
    const late = waits.filter(({ seconds }) => seconds > 0)
    if (late.length > 0) lines.push(`    ${late.map(inWords).join(', ')}`)
    if (line !== undefined) lines.push(`    ${lineInWords(line)}`)
  }
  for (const { policy, reachedBy } of unreachable)
    lines.push(`  ${policy}: not reachable by ${inBraces(kind as IdentityKind)}; reached by ${reachedBy}`)
  return lines.join('\n')
}

function conclusionOf(
  decision: Decision | undefined,
  unreachable: readonly Unreached[],
  kind: IdentityKind | undefined,
): string {
  const identity = kind === undefined ? '' : inBraces(kind)
  if (decision === undefined) return `Not known: no policy counts requests by ${identity}`
  const outcome = decision.allowed ? 'Allowed' : 'Refused'
  const extent = unreachable.length === 0 ? '' : ` by what ${identity} reaches`
  return `${outcome}${extent}: ${decision.reason}${decision.policy && ` (${decision.policy})`}`
}

// A bucket with a large burst can hold more units than the limit.
function leftOf({ remaining: left, limit }: PolicyVerdict): string {
  return left > limit ? `${left} (limit ${limit})` : `${left} of ${limit}`
}

function inWords({ cost, seconds }: CostWait): string {
  return `a cost of ${cost} ${inTime(seconds)}`
}

function lineInWords({ units, seconds }: Line): string {
  const [waits, last] = units === 1 ? ['unit waits', 'it'] : ['units wait', 'the last one']
  return `${units} ${waits} in line, ${last} starts in ${seconds} s`
}

function inTime(seconds: number): string {
  return seconds === Number.POSITIVE_INFINITY ? 'never passes' : `passes in ${seconds} s`
}
