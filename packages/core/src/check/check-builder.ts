import type { Rule } from '../algorithms/index.ts'
import { listOf } from '../base/bounded-memory.ts'
import { warnOfCallback } from '../base/callbacks.ts'
import { type Digest, hashText } from '../base/digest.ts'
import { messageOf, describe } from '../base/errors.ts'
import { atOnce } from '../base/promises.ts'
import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { costFor, type Cost, givenCost } from '../policy/cost.ts'
import { isTightened, type CompiledPenalty } from '../policy/penalty-config.ts'
import type { Caller } from '../request/caller.ts'
import { routeName } from '../request/route.ts'
import { type FoundKey, UNKNOWN_ADDRESS, type Subject, type Tenant } from '../request/identity.ts'
import type { RequestView } from '../request/view.ts'
import {
  type Demand,
  type Group,
  Mode,
  PenaltyMode,
  type Share,
  type Terms,
  type IdempotencyDemand,
} from '../store/contract.ts'
import { REFUSED } from '../store/known-groups.ts'
import type { StoreClock } from '../store/store-clock.ts'
import { type Ask, CHARGE } from './check-options.ts'
import { type Check, plainCheck, type PolicyExtras } from './check.ts'
import { type PriorGuards, paidOn } from './prior-guards.ts'

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
    const hasTerms = ask.least !== undefined || ask.queued !== undefined || ask.ttl !== undefined
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
      const { tenant } = key
      // perf: bench "limiter.check(request)"; the fields are written out because spreading objects took most of a check.
      const demand: Demand = {
        rule,
        subject: key.subject,
        cost: rest,
        mode,
        edges: policy.calendar === undefined ? undefined : policy.edges(clock.now()),
        penalized: principal !== undefined && isTightened(policy, key.subject, principal),
        terms:
          hasTerms || policy.headroom !== undefined || tenant !== undefined
            ? termsOf(policy, rest, client, ask, warn, tenant && shareOf(policy, rule, tenant))
            : undefined,
      }
      demands[i] = demand
      if (!shadow && !key.unverified && policy.inFlight === undefined && paid === 0 && tenant === undefined)
        continue
      extras ??= listOf(policies.length)
      // Undefined for an identity, which is never an unverified key.
      const address = key.unverified && typeof client !== 'string' ? client.ip.subject : undefined
      extras[i] = {
        shadow,
        at: {
          address:
            address === undefined
              ? undefined
              : demands.push(addressDemand(policy.addressCeilingRule(route), address, demand)) - 1,
          flight: hasInFlight(policy, demand, ask.priorGuards)
            ? demands.push(demandInFlight(policy.inFlight as Rule, demand)) - 1
            : undefined,
        },
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

/** The share of a tenant in a counter. */
function shareOf({ fair }: CompiledPolicy, pool: Rule, { subject, weight }: Tenant): Share {
  fair!.asks(pool)
  return { rule: fair!.share(pool, subject), weight }
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

/** The share that a request leaves to others if its `headroom` function fails: it counts as the least important. */
const SHARE_OF_FAILED = 0.5

/**
 * Builds the terms of a policy's demand. Undefined for nearly every request: it leaves nothing to others, wants its whole cost, and
 * does not wait.
 *
 * @param cost the units that the policy charges
 */
function termsOf(
  policy: CompiledPolicy,
  cost: number,
  client: Caller | Subject,
  { least, queued, ttl, cost: given }: Ask,
  warn: Warn,
  share: Share | undefined,
): Terms | undefined {
  const fewest = least === undefined ? undefined : leastFor(policy, least, given)
  const terms: Terms = {
    maxWait: queued?.maxWait,
    least: fewest === undefined || fewest >= cost ? undefined : fewest,
    keptFor: policy.calendar === undefined ? undefined : ttl,
    headroom: policy.headroom === undefined ? undefined : headroomFor(policy, client, warn),
    share,
  }
  return Object.values(terms).some(Boolean) ? terms : undefined
}

/** The terms of a place in flight, of which a request takes one. */
function termsInFlight(terms: Terms | undefined): Terms | undefined {
  return terms && { ...terms, least: undefined, share: undefined }
}

/** The fewest units that a call accepts of a policy. All policies get the largest that the call names, so that all grant alike. */
function leastFor(policy: CompiledPolicy, least: Cost, cost: Ask['cost']): number | undefined {
  if (givenCost(policy, least) === undefined) return undefined
  if (typeof least === 'number') {
    const isNamed = typeof cost === 'object' && givenCost(policy, cost) === undefined
    return isNamed ? undefined : givenCost(policy, least)
  }
  return Math.max(...Object.values(least).map(units => Math.ceil(units ?? 0)))
}

function headroomFor({ name, headroom }: CompiledPolicy, client: Caller | Subject, warn: Warn): number {
  if (typeof headroom === 'number') return headroom
  // Without a request there is nothing to ask about.
  if (headroom === undefined || typeof client === 'string') return 0
  let mistake: string
  try {
    const share: unknown = atOnce(headroom(client.view.request as never))
    if (typeof share === 'number' && share >= 0 && share <= 1) return share
    mistake = `gave ${describe(share)}, which is not a share`
  } catch (error) {
    mistake = `failed: ${messageOf(error)}`
  }
  const fix = 'Return a number from 0 to 1. Until then such a request leaves half of the capacity.'
  warnOfCallback(warn, `headroom of "${name}" ${mistake}.`, fix)
  return SHARE_OF_FAILED
}

/**
 * Builds the demand that makes a store charge a group once per idempotency key, for the longest window or period of its policies.
 *
 * The key is bound to the counters of the call and to the units of each. The same key with another cost, other policies or
 * another client is another call, and is charged.
 *
 * @param units the full cost per policy, including the units that earlier guards charged
 */
export function idempotencyDemand(
  idempotencyKey: string,
  policies: readonly CompiledPolicy[],
  demands: readonly Demand[],
  units: readonly (number | string)[],
  digest: Digest,
): IdempotencyDemand {
  const window = Math.max(...policies.map(policy => policy.window))
  const edges = demands.map(demand => demand.edges).filter(found => found !== undefined)
  const last = edges.sort((a, b) => b[1] - a[1])[0]
  const charges = units.map((amount, at) => {
    const { subject, rule, terms } = demands[at] as Demand
    return [subject, (terms?.share?.rule ?? rule).counter, amount]
  })
  const { subject, rule } = demands[0] as Demand
  const policy = rule.counter.slice(0, rule.counter.search(/[@:]/))
  const counter = `${policy}@${digest(JSON.stringify([idempotencyKey, ...charges]))}:i`
  return { subject, counter, window, edges: last }
}
