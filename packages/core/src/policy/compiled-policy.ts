import type { Edges, Rule } from '../algorithms/index.ts'
import { compileRule, multiply } from './rule-compiler.ts'
import { type Calendar, compileCalendar } from './calendar.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import { type CompiledFair, compileFair } from './fair.ts'
import { type CompiledLease, compileLease } from './lease.ts'
import type { KeyStrategy } from '../request/identity.ts'
import type { Algorithm, Headroom, OnStoreError, Policy, Quota } from './policy.ts'
import { compileExemptions, type Exemptions } from '../request/exemptions.ts'
import { BoundedMap } from '../base/bounded-memory.ts'
import { counterParts } from '../store/counter-key.ts'
import { validate } from './validation.ts'

/** A policy as it was given to a limiter, whatever requests its callbacks take. */
export type GivenPolicy = Policy<never>

/** A policy or quota, validated and compiled to the facts that a check needs. */
export interface CompiledPolicy {
  readonly name: string
  readonly algorithm: Algorithm | 'quota'
  readonly limit: number
  /** The units that can be taken at once. */
  readonly capacity: number
  /** Whether the policy itself says `burst`. */
  readonly isBurstGiven: boolean
  readonly cost: number
  /** Whether the policy ignores a cost that is given as a number. */
  readonly countsRequests: boolean
  readonly keyStrategy: KeyStrategy
  /** @internal */
  readonly keyExtractor: ((request: never, context?: unknown) => unknown) | undefined
  readonly onMissingKey: 'ip' | 'deny' | 'allow' | 'together'
  /** @internal */
  readonly exemptions: Exemptions | undefined
  readonly exemptPrivateIps: boolean | undefined
  /** The share of keys, 0 to 1, for which the policy only reports. */
  readonly shadow: number
  readonly off: boolean
  /** @internal The share of the capacity that a request leaves to others; undefined if it leaves nothing. */
  readonly headroom: Headroom<never> | undefined
  /** @internal How a process takes units in advance; undefined if every check asks the store. */
  readonly lease: CompiledLease | undefined
  /** @internal How tenants share the counter; undefined if whoever asks first gets it. */
  readonly fair: CompiledFair | undefined
  readonly onStoreError: OnStoreError | undefined
  readonly plan: string | undefined
  readonly unit: string | undefined
  /** The status of a refusal because the quota is used up; undefined if it is as any. */
  readonly status: 402 | 429 | undefined
  /** @internal */
  readonly calendar: Calendar | undefined
  /** @internal A quota's edges, in microseconds, around an instant in Unix milliseconds. Returns the same tuple within a period. */
  edges(now: number): Edges | undefined
  /** @internal */
  readonly thresholds: readonly number[]
  /** How long an idempotency key is remembered, in microseconds. A quota remembers it until its period ends instead. */
  readonly window: number
  /** Whether each route has its own counter. */
  readonly isPerRoute: boolean
  /** The rule for a route. It is the same for all routes unless `isPerRoute`. `undefined` is a route that is not known. */
  rule(route: string | undefined): Rule
  /** @internal The rule for all unverified keys of one address together: `keysPerAddress` times the limit. Per route if `isPerRoute`. */
  addressCeilingRule(route: string | undefined): Rule
  /** @internal The rule for requests in flight that are not charged yet; undefined if every request is charged at once. */
  readonly inFlight: Rule | undefined
  /** @internal The rules of the counters that this process has used for the policy, and that others use without a route. */
  rules(): Rule[]
  /** @internal Whether this process has seen a route with its own counter, under these numbers or others. */
  hasMetRoutes(): boolean
  /** @internal The same policy with other numbers. It counts on the same counters. @throws HaltError if the numbers do not fit */
  with(numbers: PolicyNumbers): CompiledPolicy
  /** @internal The policy whose numbers {@link with} has changed; undefined if it has its own. */
  readonly origin: CompiledPolicy | undefined
}

/** The numbers of a policy that an operator can change while it runs. */
export interface PolicyNumbers {
  /** Units per window. */
  readonly limit?: number | undefined
  /** Seconds, or a text such as `1m`. A quota has none. */
  readonly window?: Duration | undefined
  /** Token bucket: the units that can be taken at once. If it is left out, a `burst` of the policy stays, whatever the new `limit`. */
  readonly burst?: number | undefined
  /** Units per request. */
  readonly cost?: number | undefined
  /** How long a refusal keeps the key refused: seconds, or a text such as `5m`. */
  readonly blockDuration?: Duration | undefined
}

/** The limiter's options that a policy is compiled with. */
export interface CompileContext {
  /** The share of a limit that the limiter's penalty leaves; undefined without a penalty. */
  readonly multiplier: number | undefined
  readonly keysPerAddress: number
}

/** The routes that a policy and its variants have met. */
interface Met {
  readonly rules: MetRoutes
  readonly ceilings: MetRoutes
}

// The route of identities, and of requests whose route is not known.
const ANY_ROUTE = '*'

/**
 * Validates a policy or quota and compiles it to numbers.
 *
 * @throws HaltError with a code for the field that is wrong
 */
export function compilePolicy(policy: GivenPolicy, context: CompileContext): CompiledPolicy {
  const met: Met = { rules: new BoundedMap(MAX_ROUTES), ceilings: new BoundedMap(MAX_ROUTES) }
  return compileWith(policy, context, met)
}

function compileWith(
  policy: GivenPolicy,
  context: CompileContext,
  met: Met,
  origin?: CompiledPolicy,
): CompiledPolicy {
  try {
    return compile(policy, context, met, origin)
  } catch (error) {
    throw withPolicyName(error, policy)
  }
}

// Names the policy in the error, because a limiter may have several.
function withPolicyName(error: unknown, policy: GivenPolicy): unknown {
  const name: unknown = (policy as Partial<GivenPolicy> | undefined)?.name
  if (!(error instanceof HaltError) || typeof name !== 'string' || error.summary.includes(`"${name}"`))
    return error
  return new HaltError(error.code, `The policy "${name}": ${error.summary}`, error.fix, {
    cause: error.cause,
  })
}

function compile(
  policy: GivenPolicy,
  context: CompileContext,
  met: Met,
  origin: CompiledPolicy | undefined,
): CompiledPolicy {
  validate(policy)
  const { name, limit, cost = 1, counter = name, mode = 'enforce', scope = 'global' } = policy
  const quota = isQuota(policy) ? policy : undefined
  const rate = isQuota(policy) ? undefined : policy
  const algorithm: CompiledPolicy['algorithm'] =
    rate === undefined ? 'quota' : (rate.algorithm ?? 'token-bucket')
  const capacity = algorithm === 'token-bucket' ? (rate?.burst ?? limit) : limit
  const window = rate === undefined ? YEAR : parseDuration(rate.ttl ?? rate.window, 'window', 'HALT_E_WINDOW')
  const cooldown = rate?.blockDuration === undefined ? 0 : parseDuration(rate.blockDuration, 'blockDuration')
  const precision = algorithm === 'concurrency' ? EXACT_PERMITS : (rate?.precision ?? 10)
  const numbers = { algorithm, limit, capacity, window, precision, cooldown, floor: cost }
  const calendar = quota === undefined ? undefined : compileCalendar(quota)
  // A penalty never tightens a quota.
  const multiplier = calendar === undefined ? context.multiplier : undefined
  const base = compileRule({ ...numbers, counter }, multiplier)
  const permits = rate?.inFlight
  const inFlight =
    permits === undefined
      ? undefined
      : compileRule({
          ...IN_FLIGHT,
          counter: `${counter}@${counterParts.held}`,
          limit: permits,
          capacity: permits,
        })
  const isPerRoute = scope === 'route'
  const ruleFor = rulesByRoute(
    route => compileRule({ ...numbers, counter: `${counter}@${route}` }, multiplier),
    met.rules,
  )
  const ceilingFor = rulesByRoute(route => {
    const place = isPerRoute ? `${counterParts.keys}:${route}` : counterParts.keys
    return multiply(base, `${counter}@${place}:${base.code}`, context.keysPerAddress)
  }, met.ceilings)
  const compiled: CompiledPolicy = Object.freeze({
    name,
    algorithm,
    limit,
    capacity,
    isBurstGiven: rate?.burst !== undefined,
    cost,
    countsRequests: policy.counts === 'requests' || algorithm === 'concurrency',
    keyStrategy: policy.keyStrategy ?? (policy.keyExtractor ? 'custom' : quota ? 'user' : 'ip'),
    keyExtractor: policy.keyExtractor as CompiledPolicy['keyExtractor'],
    // Tenants without a name are one tenant, not one for each address.
    onMissingKey: policy.onMissingKey ?? (rate?.fair === undefined ? 'ip' : 'together'),
    exemptions: policy.exemptions?.length ? compileExemptions(policy.exemptions) : undefined,
    exemptPrivateIps: policy.exemptPrivateIps,
    shadow: typeof mode === 'object' ? mode.shadow : mode === 'shadow' ? 1 : 0,
    off: mode === 'off',
    headroom: rate?.headroom === 0 ? undefined : rate?.headroom,
    lease: policy.lease === undefined ? undefined : compileLease(policy.lease),
    fair: rate?.fair === undefined ? undefined : compileFair(rate.fair),
    onStoreError: policy.onStoreError,
    plan: policy.plan,
    unit: policy.unit,
    status: quota?.status,
    calendar,
    edges: calendar === undefined ? () => undefined : edgesIn(calendar),
    thresholds: quota?.thresholds ?? DEFAULT_THRESHOLDS,
    window,
    isPerRoute,
    rule: (route: string | undefined) => (isPerRoute ? ruleFor(route ?? ANY_ROUTE) : base),
    addressCeilingRule: (route: string | undefined) =>
      ceilingFor(isPerRoute ? (route ?? ANY_ROUTE) : ANY_ROUTE),
    inFlight,
    rules() {
      // Other processes may have charged the ceiling, or requests without a route, even if this one has seen neither.
      ceilingFor(ANY_ROUTE)
      if (isPerRoute) ruleFor(ANY_ROUTE)
      return [base, ...ruleFor.all(), ...ceilingFor.all(), ...(inFlight ? [inFlight] : [])]
    },
    hasMetRoutes: () => [...met.rules].some(([route]) => route !== '' && route !== ANY_ROUTE),
    with: (numbers: PolicyNumbers): CompiledPolicy =>
      compileWith({ ...policy, ...numbers } as GivenPolicy, context, met, origin ?? compiled),
    origin,
  })
  return compiled
}

const YEAR = 366 * 86_400e6
/** Up to this many requests in flight of a key expire to the microsecond. With more, each expires up to a sixty-fourth later. */
const EXACT_PERMITS = 64
/** How long a store keeps the permit of a request in flight that is not charged yet. Milliseconds. */
export const IN_FLIGHT_MS = 60_000
const IN_FLIGHT = {
  algorithm: 'concurrency',
  window: IN_FLIGHT_MS * 1000,
  precision: EXACT_PERMITS,
  cooldown: 0,
  floor: 1,
} as const
const DEFAULT_THRESHOLDS: readonly number[] = Object.freeze([0.8, 1])

function isQuota(policy: GivenPolicy): policy is Quota<never> {
  return 'period' in policy && policy.period !== undefined
}

/** A calendar's edges in microseconds. Keeps the last tuple, so that a period allocates one. */
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

/** The routes that a policy has met in this process. All variants of the policy share them, because they share the counters. */
type MetRoutes = BoundedMap<true>

/** The rules of a policy, one per route. */
interface RouteRules {
  (route: string): Rule
  /** The rules of the routes seen so far. */
  all(): Rule[]
}

// A service has only the routes that its authors wrote. A view with invented routes must not fill the memory.
const MAX_ROUTES = 10_000

/** Keeps the rules that `make` makes, so that each is made once. */
function rulesByRoute(make: (route: string) => Rule, met: MetRoutes): RouteRules {
  const rules = new BoundedMap<Rule>(MAX_ROUTES)
  const find = (route: string): Rule => {
    let rule = rules.get(route)
    if (rule === undefined) {
      rules.set(route, (rule = make(route)))
      met.set(route, true)
    }
    return rule
  }
  return Object.assign(find, {
    // A variant may have met a route that has no rule here yet.
    all: () => [...met].map(([route]) => find(route)),
  })
}
