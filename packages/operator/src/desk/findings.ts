import {
  type CounterReading,
  type FairShare,
  type HaltError,
  type Identity,
  lastChargedPlan,
  type PenaltyStatus,
  type PolicyExplanation,
  type Quota,
  type QuotaStatus,
  type Unreached,
} from '@halt/core'

import { shownError, type ShownError } from '../answer.ts'
import type { AnyLimiter, GivenPolicy, LimiterEntry } from '../options.ts'
import { isQuota, penaltyManagerOf, quotaManagerOf } from './managers.ts'

/** One limiter's readings of a client, under one plan if the limiter has plans. */
export interface LimiterFinding {
  /** Undefined if the policies do not depend on a plan, or the plans are not known. */
  readonly plan: string | undefined
  /** Whether the client was charged last under the plan. Undefined if its counters do not tell, or there are no plans. */
  readonly chargedLast: boolean | undefined
  /** Whether the client has the plan, as the application says. Undefined if it does not say, or there are no plans. */
  readonly isOwn: boolean | undefined
  /** Whether a request would pass now; undefined if the identity reaches no policy. */
  readonly allowed: boolean | undefined
  readonly reason: string | undefined
  /** How it was decided without the store; false if the store decided. */
  readonly degraded: string | false
  readonly policies: readonly PolicyFinding[]
  /** The policies whose counters the identity does not name, and what names them. */
  readonly unreachable: readonly Unreached[]
  readonly penalty: PenaltyStatus | undefined
  /** Why the limiter could not tell. */
  readonly error: ShownError | undefined
}

/** One policy of a client. */
interface PolicyFinding extends Pick<
  PolicyExplanation,
  'policy' | 'algorithm' | 'exemption' | 'waits' | 'line'
> {
  /** What a unit is; undefined if the policy does not say. */
  readonly unit: string | undefined
  readonly key: string | undefined
  /** `enforce`, `shadow` or `off`. Undefined if an operator or an exemption decides in its place. */
  readonly mode: string | undefined
  readonly allowed: boolean
  readonly reason: string
  readonly limit: number
  readonly remaining: number
  /** How the client stands among the tenants of a policy with `fair`. */
  readonly fair: Omit<FairShare, 'tenant'> | undefined
  /** Unix seconds. */
  readonly resetAt: number
  /** Whole seconds; null if it never passes. */
  readonly retryAfter: number | null
  readonly counters: readonly Pick<CounterReading, 'counter' | 'used' | 'limit' | 'blockedUntil'>[]
  readonly quota: Pick<QuotaStatus, 'used' | 'held' | 'limit' | 'granted' | 'periodStart'> | undefined
}

/** The exemption of a policy whose mode is "off", as explanations write it. */
const OFF = 'its mode is "off"'

/** Asks a limiter everything about a client. It charges nothing. @param own the plan of the client, if the application says it */
export async function findIn(
  entry: LimiterEntry,
  identity: Identity,
  own: Promise<string | undefined> | undefined,
): Promise<readonly LimiterFinding[]> {
  if (entry.plans.length > 0) return findInPlans(entry, identity, own)
  // Policies that a function chooses do not decide together, so each is explained alone.
  const groups = entry.chooses ? entry.policies.map(policy => ({ policy })) : [{}]
  if (groups.length === 0) return [failed(await explanationError(entry.limiter, identity), undefined)]
  const found = await Promise.all(groups.map(options => findWith(entry, identity, options)))
  return found.map(({ finding }) => finding)
}

/** Asks a limiter about a client under some of its policies alone. */
export async function findPolicies(
  entry: LimiterEntry,
  identity: Identity,
  policies: readonly GivenPolicy[],
): Promise<LimiterFinding> {
  return (await findWith(entry, identity, { policy: policies })).finding
}

async function findInPlans(
  entry: LimiterEntry,
  identity: Identity,
  own: Promise<string | undefined> | undefined,
): Promise<readonly LimiterFinding[]> {
  const found = await Promise.all(
    entry.plans.map(async ({ name, policies }) => ({
      name,
      ...(await findWith(entry, identity, { policy: policies }, name)),
    })),
  )
  const [last, plan] = [lastChargedPlan(found), await own]
  return found.map(({ finding, name }) => {
    const chargedLast = last === undefined ? undefined : name === last
    // What another plan was charged beyond this plan's capacity is no line in front of it.
    const policies =
      chargedLast === false ? finding.policies.map(each => ({ ...each, line: undefined })) : finding.policies
    return { ...finding, policies, chargedLast, isOwn: plan === undefined ? undefined : name === plan }
  })
}

async function findWith(
  entry: LimiterEntry,
  identity: Identity,
  options: { readonly policy?: GivenPolicy | readonly GivenPolicy[] },
  plan?: string,
): Promise<{ readonly finding: LimiterFinding; readonly counters: readonly CounterReading[] }> {
  const { limiter } = entry
  try {
    const { decision, unreachable, control, policies: explained } = await limiter.explain(identity, options)
    const isKnown = decision !== undefined && decision.degraded === false
    const counters = isKnown ? await countersOf(limiter, identity, options) : []
    // What an operator has set holds for all policies, so the explanation lists those too whose counters are not the client's.
    const isOwn = ({ policy, exemption }: PolicyExplanation): boolean =>
      control === undefined || !isKnown || exemption === OFF || counters.some(one => one.policy === policy)
    const own = explained.filter(isOwn)
    const policies = control?.kind === 'block' ? own.map(asBlocked) : own
    const quotas = isKnown ? await quotasOf(entry, identity, policies) : new Map<string, QuotaStatus>()
    const finding = {
      plan,
      chargedLast: undefined,
      isOwn: undefined,
      allowed: decision?.allowed,
      reason: decision?.reason,
      degraded: decision?.degraded ?? false,
      policies: policies.map(policy => policyFinding(policy, counters, quotas.get(policy.policy))),
      unreachable,
      penalty: isKnown ? await penaltyManagerOf(limiter)?.getPenalty(identity) : undefined,
      error: undefined,
    }
    return { finding, counters }
  } catch (error) {
    return { finding: failed(error, plan), counters: [] }
  }
}

async function countersOf(
  limiter: AnyLimiter,
  identity: Identity,
  options: { readonly policy?: GivenPolicy | readonly GivenPolicy[] },
): Promise<readonly CounterReading[]> {
  try {
    return await limiter.inspect(identity, options)
  } catch (error) {
    // An operator decides about a client that no policy counts, too.
    if ((error as Partial<HaltError>).code === 'HALT_E_IDENTITY_KIND') return []
    throw error
  }
}

/** A block stands in the verdict of a policy that has nothing to do with it. */
function asBlocked(policy: PolicyExplanation): PolicyExplanation {
  return { ...policy, verdict: undefined, exemption: 'an operator blocks the client' }
}

function policyFinding(
  explained: PolicyExplanation,
  counters: readonly CounterReading[],
  quota: QuotaStatus | undefined,
): PolicyFinding {
  const { policy, algorithm, exemption, waits, line, verdict, key, limit, fair, unit } = explained
  return {
    policy,
    unit,
    algorithm,
    exemption,
    key,
    mode: verdict?.mode ?? (exemption === OFF ? 'off' : undefined),
    allowed: verdict?.allowed ?? true,
    reason: verdict?.reason ?? 'ok',
    limit: verdict?.limit ?? limit,
    remaining: verdict?.remaining ?? limit,
    resetAt: verdict?.resetAt ?? 0,
    retryAfter: finite(verdict?.retryAfter ?? 0),
    waits: waits.filter(({ seconds }) => Number.isFinite(seconds)),
    line,
    fair: fair && { weight: fair.weight, ahead: fair.ahead, level: fair.level, isScarce: fair.isScarce },
    counters: counters
      .filter(reading => reading.policy === policy)
      .map(({ counter, used, limit: most, blockedUntil }) => ({ counter, used, limit: most, blockedUntil })),
    quota: quota && {
      used: quota.used,
      held: quota.held,
      limit: quota.limit,
      granted: quota.granted,
      periodStart: quota.periodStart,
    },
  }
}

async function quotasOf(
  { limiter, policies }: LimiterEntry,
  identity: Identity,
  explained: readonly PolicyExplanation[],
): Promise<Map<string, QuotaStatus>> {
  const manager = quotaManagerOf(limiter)
  const reached = policies.filter(
    policy =>
      isQuota(policy) && explained.some(({ policy: name, verdict }) => name === policy.name && verdict),
  ) as Quota[]
  const found = await Promise.all(
    reached.map(async quota => [quota.name, (await manager.checkQuota(identity, quota)).quota] as const),
  )
  return new Map(found)
}

async function explanationError(limiter: AnyLimiter, identity: Identity): Promise<unknown> {
  return limiter.explain(identity).then(
    () => undefined,
    (error: unknown) => error,
  )
}

function failed(error: unknown, plan: string | undefined): LimiterFinding {
  return {
    plan,
    chargedLast: undefined,
    isOwn: undefined,
    allowed: undefined,
    reason: undefined,
    degraded: false,
    policies: [],
    unreachable: [],
    penalty: undefined,
    error: shownError(error),
  }
}

function finite(seconds: number): number | null {
  return Number.isFinite(seconds) ? seconds : null
}
