import type { Edges, Rule } from '../algorithms/index.ts'
import { compileRule, isSameRule, multiply } from './rule-compiler.ts'
import { type Calendar, compileCalendar } from './calendar.ts'
import { parseDuration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import type { KeyStrategy } from '../request/identity.ts'
import type { Algorithm, OnStoreError, Policy, Quota, RatePolicy } from './policy.ts'
import { compileExemptions, type Exemptions } from '../request/exemptions.ts'
import { rulesByRoute } from './route-rules.ts'
import { validate } from './validation.ts'

/** Any limit that may stand in a limiter's `policy`. */
export type AnyPolicy<R = unknown> = Policy<R> | Quota<R>

/** A policy, validated and reduced to what a check needs. */
export interface CompiledPolicy {
  readonly name: string
  readonly algorithm: Algorithm | 'quota'
  readonly limit: number
  /** Units that can be taken at once. */
  readonly capacity: number
  readonly cost: number
  /** Whether a cost given as a number is not for it. */
  readonly countsRequests: boolean
  readonly keyStrategy: KeyStrategy
  readonly keyExtractor: ((request: never, context?: unknown) => unknown) | undefined
  readonly onMissingKey: 'ip' | 'deny' | 'allow'
  readonly exemptions: Exemptions | undefined
  readonly exemptPrivateIps: boolean | undefined
  /** The share of keys that are only reported: 0 to 1. */
  readonly shadow: number
  readonly off: boolean
  readonly onStoreError: OnStoreError | undefined
  readonly plan: string | undefined
  readonly calendar: Calendar | undefined
  /** A quota's calendar edges around an instant, Unix milliseconds; in microseconds. The same tuple within a period. */
  edges(now: number): Edges | undefined
  readonly thresholds: readonly number[]
  /** How long an idempotency key lives beside it, microseconds; a quota's period wins. */
  readonly window: number
  /** Whether each route has a counter of its own. */
  readonly isPerRoute: boolean
  /** The counter for a route; `undefined` where all routes share one. */
  rule(route: string | undefined): Rule
  /** `keysPerAddress` times the limit, for all unverified keys of an address together; for each route where `rule` is. */
  addressCeilingRule(route: string | undefined): Rule
  /** The leases of requests whose cost is not known yet; undefined where every request is counted at once. */
  readonly lease: Rule | undefined
  /** Every counter it has used in this process, by cell, and what others use without a route. */
  counters(): string[]
  /** Whether this process has met a route that has a counter of its own. */
  hasMetRoutes(): boolean
}

/** What the limiter adds to a policy when it is compiled. */
export interface CompileContext {
  /** What is left of a limit under the limiter's penalty. */
  readonly multiplier: number | undefined
  readonly keysPerAddress: number
}

// The counter of what has no route: identities, and requests whose route is not known.
const ANY_ROUTE = '*'

/**
 * Validates a policy or quota and compiles it to numbers.
 *
 * @throws HaltError with a code for the field that is wrong
 */
export function compilePolicy(policy: AnyPolicy<never>, context: CompileContext): CompiledPolicy {
  try {
    return compile(policy, context)
  } catch (error) {
    throw ofPolicy(error, policy)
  }
}

// Of several policies, which one is wrong.
function ofPolicy(error: unknown, policy: AnyPolicy<never>): unknown {
  const name: unknown = (policy as Partial<AnyPolicy<never>> | undefined)?.name
  if (!(error instanceof HaltError) || typeof name !== 'string' || error.summary.includes(`"${name}"`))
    return error
  return new HaltError(error.code, `The policy "${name}": ${error.summary}`, error.fix, {
    cause: error.cause,
  })
}

function compile(policy: AnyPolicy<never>, context: CompileContext): CompiledPolicy {
  validate(policy)
  const { name, limit, cost = 1, counter = name, mode = 'enforce', scope = 'global' } = policy
  const quota = 'period' in policy && policy.period !== undefined ? (policy as Quota<never>) : undefined
  const rate = quota === undefined ? (policy as Policy<never>) : undefined
  const algorithm: CompiledPolicy['algorithm'] =
    quota === undefined ? (rate?.algorithm ?? 'token-bucket') : 'quota'
  const capacity = algorithm === 'token-bucket' ? ((rate as RatePolicy<never>).burst ?? limit) : limit
  const window = quota === undefined ? spanOf(rate as Policy<never>) : YEAR
  const cooldown = rate?.blockDuration === undefined ? 0 : parseDuration(rate.blockDuration, 'blockDuration')
  const precision =
    algorithm === 'concurrency' ? LEASES : ((rate as RatePolicy<never> | undefined)?.precision ?? 10)
  const inFlight = rate?.inFlight
  const numbers = { algorithm, limit, capacity, window, precision, cooldown, floor: cost }
  const multiplier = quota === undefined ? context.multiplier : undefined
  const calendar = quota === undefined ? undefined : compileCalendar(quota)
  const base = compileRule({ ...numbers, counter }, multiplier)
  const lease =
    inFlight === undefined
      ? undefined
      : compileRule({ ...LEASE, counter: `${counter}@held`, limit: inFlight, capacity: inFlight })
  const isPerRoute = scope === 'route'
  const ruleFor = rulesByRoute(route =>
    compileRule({ ...numbers, counter: `${counter}@${route}` }, multiplier),
  )
  const guardFor = rulesByRoute(route => {
    const place = isPerRoute ? `keys:${route}` : 'keys'
    return multiply(base, `${counter}@${place}:${base.code}`, context.keysPerAddress)
  })
  return Object.freeze({
    name,
    algorithm,
    limit,
    capacity,
    cost,
    countsRequests: policy.counts === 'requests' || algorithm === 'concurrency',
    keyStrategy: policy.keyStrategy ?? (policy.keyExtractor ? 'custom' : quota ? 'user' : 'ip'),
    keyExtractor: policy.keyExtractor as CompiledPolicy['keyExtractor'],
    onMissingKey: policy.onMissingKey ?? 'ip',
    exemptions: policy.exemptions?.length ? compileExemptions(policy.exemptions) : undefined,
    exemptPrivateIps: policy.exemptPrivateIps,
    shadow: typeof mode === 'object' ? mode.shadow : mode === 'shadow' ? 1 : 0,
    off: mode === 'off',
    onStoreError: policy.onStoreError,
    plan: policy.plan,
    calendar,
    edges: calendar === undefined ? () => undefined : edgesIn(calendar),
    thresholds: quota?.thresholds ?? DEFAULT_THRESHOLDS,
    window,
    isPerRoute,
    rule: (route: string | undefined) => (isPerRoute ? ruleFor(route ?? ANY_ROUTE) : base),
    addressCeilingRule: (route: string | undefined) =>
      guardFor(isPerRoute ? (route ?? ANY_ROUTE) : ANY_ROUTE),
    lease,
    counters() {
      // Other processes count on the ceiling, too, whether this one has met an unverified key or not.
      guardFor(ANY_ROUTE)
      return [base.counter, ...ruleFor.counters(), ...guardFor.counters(), ...(lease ? [lease.counter] : [])]
    },
    hasMetRoutes: () => ruleFor.hasMetOtherThan('', ANY_ROUTE),
  })
}

const YEAR = 366 * 86_400e6
// So many leases of a key are reclaimed to the microsecond, of more each within a sixty-fourth of its time.
const LEASES = 64
/** How long the lease of a held cost lives in the store, milliseconds. */
export const LEASE_MS = 60_000
const LEASE = {
  algorithm: 'concurrency',
  window: LEASE_MS * 1000,
  precision: LEASES,
  cooldown: 0,
  floor: 1,
} as const
const DEFAULT_THRESHOLDS: readonly number[] = Object.freeze([0.8, 1])

function spanOf(policy: Policy<never>): number {
  return policy.algorithm === 'concurrency'
    ? parseDuration(policy.ttl, 'ttl', 'HALT_E_WINDOW')
    : parseDuration(policy.window, 'window', 'HALT_E_WINDOW')
}

function edgesIn(calendar: Calendar): (now: number) => Edges {
  let last: readonly number[] | undefined
  let micros: Edges = [0, 0, 0]
  return now => {
    const edges = calendar.edges(now)
    if (edges === last) return micros
    last = edges
    return (micros = [edges[0] * 1000, edges[1] * 1000, edges[2] * 1000])
  }
}
