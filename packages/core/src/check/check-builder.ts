import type { Rule } from '../algorithms/index.ts'
import { type Check, plainCheck, type PolicyExtras } from './check.ts'
import { type Ask, CHARGE } from './ask.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { costFor } from '../policy/cost.ts'
import { isTightened } from '../policy/penalty-scope.ts'
import type { Digest } from '../base/digest.ts'
import { type PriorGuards, paidOn } from './prior-guards.ts'
import type { Warn } from '../base/warnings.ts'
import { idempotencyDemand } from './idempotency.ts'
import { termsOf, termsInFlight } from './demand-terms.ts'
import type { CompiledPenalty } from '../policy/penalty-config.ts'
import type { Caller } from '../request/caller.ts'
import { type FoundKey, UNKNOWN_ADDRESS, type Subject, type Tenant } from '../request/subject.ts'
import { routeName } from '../request/matched-route.ts'
import type { RequestView } from '../request/view.ts'
import { hashText } from '../base/hash.ts'
import { REFUSED } from '../store/look-rule.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { type Demand, type Group, Mode, PenaltyMode } from '../store/contract.ts'
import { listOf } from '../base/list.ts'

/**
 * Makes the function that builds a limiter's checks. One check decides all policies at once.
 *
 * `keys` holds one key per policy, in the order of the policies. `client` is the caller of a request, or the subject of an
 * identity.
 */
export function checkBuilder(
  penalty: CompiledPenalty | undefined,
  digest: Digest,
  clock: StoreClock,
  warn: Warn,
): (
  policies: readonly CompiledPolicy[],
  keys: readonly FoundKey[],
  client: Caller | Subject,
  ask: Ask,
) => Check {
  return (policies, keys, client, ask) => {
    const principal =
      penalty === undefined ? undefined : typeof client === 'string' ? client : client.principal(keys)
    const hasTerms = ask.least !== undefined || ask.turn !== undefined || ask.ttl !== undefined
    const demands: Demand[] = listOf(policies.length)
    let extras: (PolicyExtras | undefined)[] | undefined
    let route: string | undefined
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CompiledPolicy
      const key = keys[i] as FoundKey
      // Read the route only for a policy that counts by route, because a framework may have to look it up.
      if (policy.isPerRoute && typeof client !== 'string') route ??= routeOf(client.view, warn)
      const shadow = isShadow(policy, key.subject)
      const rule = policy.rule(route)
      const paid = ask.priorGuards === undefined ? 0 : (paidOn(rule, key.subject, ask.priorGuards) ?? 0)
      const mode = ask.mode === 'peek' ? Mode.PEEK : modeOf(policy, shadow)
      const cost = costFor(policy, ask.cost)
      // DEFER demands are charged only when the request ends, so earlier guards have not charged them. Judge the full cost.
      const rest = mode === Mode.DEFER ? cost : Math.max(0, cost - paid)
      // perf: bench "limiter.check(request)"; the fields are written out because spreading objects took most of a check.
      const demand: Demand = {
        rule,
        subject: key.subject,
        cost: rest,
        mode,
        edges: policy.calendar === undefined ? undefined : policy.edges(clock.now()),
        penalized: principal !== undefined && isTightened(policy, key.subject, principal),
        terms:
          hasTerms || policy.headroom !== undefined ? termsOf(policy, rest, client, ask, warn) : undefined,
      }
      demands[i] = demand
      const { tenant } = key
      if (!shadow && !key.unverified && policy.inFlight === undefined && paid === 0 && tenant === undefined)
        continue
      extras ??= listOf(policies.length)
      // Undefined for an identity, which is never an unverified key.
      const address = key.unverified && typeof client !== 'string' ? client.ip.subject : undefined
      extras[i] = {
        shadow,
        addressCeiling:
          address === undefined
            ? -1
            : demands.push(addressDemand(policy.addressCeilingRule(route), address, demand)) - 1,
        inFlight: hasInFlight(policy, demand, ask.priorGuards)
          ? demands.push(demandInFlight(policy.inFlight as Rule, demand)) - 1
          : -1,
        share:
          tenant === undefined
            ? -1
            : demands.push(shareDemand(policy, tenant, demand, ask.turn?.maxWait)) - 1,
        tenant: tenant?.subject,
        paid,
      }
    }
    const penaltyDemand = penalty === undefined ? undefined : penaltyOf(penalty, principal as Subject, ask)
    const idempotency = ask.idempotencyKey
      ? idempotencyDemand(ask.idempotencyKey, policies, demands, unitsOf(policies, ask), digest)
      : undefined
    return { policies, extras, demands, penalty: penaltyDemand, idempotency }
  }
}

/** Builds a check that always refuses and stores no counter, so that a refusal without a counter still scores a violation. */
export function violationCheck(penalty: CompiledPenalty, caller: Caller): Check {
  const principal = caller.principal([])
  const refused = { ...REFUSED, subject: principal }
  return { ...plainCheck([], [refused]), penalty: penaltyOf(penalty, principal, CHARGE) }
}

function unitsOf(policies: readonly CompiledPolicy[], { cost }: Ask): number[] {
  return policies.map(policy => costFor(policy, cost))
}

function modeOf({ inFlight }: CompiledPolicy, shadow: boolean): Mode {
  return shadow ? Mode.SHADOW : inFlight === undefined ? Mode.CHARGE : Mode.DEFER
}

// The demand on the counter that all unverified keys of an address share.
function addressDemand(rule: Rule, subject: Subject, { cost, mode, edges, terms }: Demand): Demand {
  return { rule, subject, cost, mode, edges, penalized: false, terms }
}

function hasInFlight(
  { inFlight }: CompiledPolicy,
  { mode, subject }: Demand,
  priorGuards: PriorGuards | undefined,
): boolean {
  if (inFlight === undefined || mode === Mode.SHADOW) return false
  // One request in flight takes one permit, however many guards it passes.
  return priorGuards === undefined || paidOn(inFlight, subject, priorGuards) === undefined
}

function demandInFlight(rule: Rule, { subject, mode, terms }: Demand): Demand {
  const inFlightMode = mode === Mode.DEFER ? Mode.CHARGE : mode
  return {
    rule,
    subject,
    cost: 1,
    mode: inFlightMode,
    edges: undefined,
    penalized: false,
    terms: termsInFlight(terms),
  }
}

/** The demand of a tenant on its share of a counter. */
function shareDemand(
  { fair }: CompiledPolicy,
  tenant: Tenant,
  { rule, subject, cost, mode, terms }: Demand,
  maxWait: number | undefined,
): Demand {
  fair!.asks(rule)
  return {
    rule: fair!.share(rule, tenant.subject),
    subject,
    cost,
    mode,
    edges: undefined,
    penalized: false,
    terms: { maxWait, least: terms?.least, share: { pool: rule.counter, weight: tenant.weight } },
  }
}

function penaltyOf({ rule, records }: CompiledPenalty, subject: Subject, ask: Ask): Group['penalty'] {
  if (subject === UNKNOWN_ADDRESS) return undefined
  const mode = records && ask.mode !== 'peek' ? PenaltyMode.WATCH : PenaltyMode.READ
  return { rule, subject, mode, amount: 0 }
}

/** Whether a policy runs in shadow mode for a subject. */
export function isShadow({ shadow, name }: CompiledPolicy, subject: Subject): boolean {
  return shadow > 0 && (shadow === 1 || hashText(`${name} ${subject}`) / 2 ** 32 < shadow)
}

/**
 * The name of a request's route for policies that count by route. Undefined for an unknown route. Such requests share one
 * counter, because a client can invent any number of paths.
 */
export function routeOf({ method, route }: RequestView, warn: Warn): string | undefined {
  const name = routeName(route, method)
  if (name === undefined)
    warn({
      code: 'HALT_W_NO_ROUTE',
      message:
        'A policy of scope "route" counted a request whose route is unknown. All such requests share one counter.',
      fix: 'Mount the limiter on the routes, after routing. A RequestView names its route itself.',
    })
  return name
}
