import type { Rule } from '../algorithms/index.ts'
import type { ExtraDemands, Check } from './check.ts'
import { type CheckParameters, NO_OPTIONS, PEEK } from './check-options.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { costFor } from '../policy/cost.ts'
import type { Digest } from '../base/digest.ts'
import { type PriorGuards, paidOn } from './prior-guards.ts'
import type { Warn } from '../base/warnings.ts'
import { idempotencyDemand } from './idempotency.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import type { Caller } from '../request/caller.ts'
import { type FoundKey, UNKNOWN_ADDRESS, type Subject } from '../request/subject.ts'
import { routeName } from '../request/matched-route.ts'
import type { RequestView } from '../request/view.ts'
import { hashText } from '../base/hash.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { type Demand, type Group, Mode, PenaltyMode } from '../store/contract.ts'
import { listOf } from '../base/list.ts'

/**
 * Makes what writes a limiter's questions: one group that decides all policies at once.
 *
 * `keys` are the policies', in their order; `who` is the caller of a request, or the subject of an identity.
 */
export function checkBuilder(
  penalty: CompiledPenalty | undefined,
  digest: Digest,
  clock: StoreClock,
  warn: Warn,
): (
  policies: readonly CompiledPolicy[],
  keys: readonly FoundKey[],
  who: Caller | Subject,
  asked: CheckParameters,
) => Check {
  return (policies, keys, who, asked) => {
    const principal = penalty === undefined ? undefined : typeof who === 'string' ? who : who.principal(keys)
    const demands: Demand[] = listOf(policies.length)
    let extras: (ExtraDemands | undefined)[] | undefined
    let route: string | undefined
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CompiledPolicy
      const key = keys[i] as FoundKey
      // Asked only where it counts: a framework may have to look it up.
      if (policy.isPerRoute && typeof who !== 'string') route ??= routeOf(who.view, warn)
      const shadow = isShadow(policy, key.subject)
      const rule = policy.rule(route)
      const paid = asked.priorGuards === undefined ? 0 : (paidOn(rule, key.subject, asked.priorGuards) ?? 0)
      const mode = asked === PEEK ? Mode.PEEK : modeOf(policy, shadow)
      const cost = costFor(policy, asked.cost)
      // Written out, here and in the answer: spreading objects took nine tenths of a whole check.
      const demand: Demand = {
        rule,
        subject: key.subject,
        // What is held was not taken by guards before, either: it is judged by all that it costs.
        cost: mode === Mode.HOLD || paid === 0 ? cost : cost > paid ? cost - paid : 0,
        mode,
        edges: policy.calendar === undefined ? undefined : policy.edges(clock.now()),
        penalized: principal !== undefined && isPenalized(policy, key.subject, principal),
      }
      demands[i] = demand
      if (!shadow && !key.unverified && policy.lease === undefined && paid === 0) continue
      extras ??= listOf(policies.length)
      extras[i] = {
        shadow,
        ...addExtraDemands(demands, demand, policy, key, who, asked.priorGuards, route),
        paid,
      }
    }
    const watched = penalty === undefined ? undefined : penaltyOf(penalty, principal as Subject, asked)
    const idempotency = asked.idempotencyKey
      ? idempotencyDemand(asked.idempotencyKey, policies, demands, unitsOf(policies, asked), digest)
      : undefined
    return { policies, extras, demands, penalty: watched, idempotency }
  }
}

/** What scores a refusal that no counter made: a demand that is refused, keeps nothing, and is nobody's to see. */
export function offenceOf(policy: CompiledPolicy, penalty: CompiledPenalty, caller: Caller): Check {
  const principal = caller.principal([])
  const own = policy.rule(undefined)
  // A counter that nobody has.
  const rule = { ...own, counter: `${policy.name}@denied:${own.code}`, cooldown: 0, reduced: undefined }
  const refused = { rule, subject: principal, cost: 0, mode: Mode.BLOCK, edges: undefined, penalized: false }
  return {
    policies: [],
    extras: undefined,
    demands: [refused],
    penalty: penaltyOf(penalty, principal, NO_OPTIONS),
    idempotency: undefined,
  }
}

function unitsOf(policies: readonly CompiledPolicy[], { cost }: CheckParameters): number[] {
  return policies.map(policy => costFor(policy, cost))
}

function modeOf({ lease }: CompiledPolicy, shadow: boolean): Mode {
  return shadow ? Mode.SHADOW : lease === undefined ? Mode.CHARGE : Mode.HOLD
}

// Behind the policies' own demands, whose places are the policies'.
function addExtraDemands(
  demands: Demand[],
  own: Demand,
  policy: CompiledPolicy,
  { unverified }: FoundKey,
  who: Caller | Subject,
  priorGuards: PriorGuards | undefined,
  route: string | undefined,
): Pick<ExtraDemands, 'addressCeiling' | 'lease'> {
  let addressCeiling = -1
  let lease = -1
  if (unverified && typeof who !== 'string')
    addressCeiling =
      demands.push({
        ...own,
        rule: policy.addressCeilingRule(route),
        subject: who.ip.subject,
        penalized: false,
      }) - 1
  if (policy.lease === undefined || own.mode === Mode.SHADOW) return { addressCeiling, lease }
  // One request in flight is one, whatever guards it passes.
  const isHeld = priorGuards !== undefined && paidOn(policy.lease, own.subject, priorGuards) !== undefined
  if (!isHeld) lease = demands.push(leaseOf(policy.lease, own)) - 1
  return { addressCeiling, lease }
}

function leaseOf(rule: Rule, { subject, mode }: Demand): Demand {
  const own = mode === Mode.HOLD ? Mode.CHARGE : mode
  return { rule, subject, cost: 1, mode: own, edges: undefined, penalized: false }
}

function penaltyOf(
  { rule, records }: CompiledPenalty,
  subject: Subject,
  asked: CheckParameters,
): Group['penalty'] {
  if (subject === UNKNOWN_ADDRESS) return undefined
  const mode = records && asked !== PEEK ? PenaltyMode.WATCH : PenaltyMode.READ
  return { rule, subject, mode, amount: 0 }
}

// A principal's counters are those of its own name, alone or with an address; never quotas.
function isPenalized({ calendar }: CompiledPolicy, subject: Subject, principal: Subject): boolean {
  if (calendar !== undefined) return false
  return (
    subject === principal || (subject.startsWith(principal) && subject.startsWith('+ip:', principal.length))
  )
}

/** Whether a policy is only reported for a subject. */
export function isShadow({ shadow, name }: CompiledPolicy, subject: Subject): boolean {
  return shadow > 0 && (shadow === 1 || hashText(`${name} ${subject}`) / 2 ** 32 < shadow)
}

// Undefined where no route is known: such requests share one counter, since a client can invent as many paths as it likes.
function routeOf({ method, route }: RequestView, warn: Warn): string | undefined {
  const name = routeName(route, method)
  if (name === undefined)
    warn({
      code: 'HALT_W_NO_ROUTE',
      message:
        'A policy of scope "route" counted a request whose route is not known: all such requests share one counter.',
      fix: 'Mount the limiter on the routes, behind routing; a RequestView says its route itself.',
    })
  return name
}
