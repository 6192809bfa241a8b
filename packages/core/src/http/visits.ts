import type { CompiledPolicy } from '../compiled-policy.ts'
import { type Cost, costFor, type WHOLE_LIMIT } from '../cost.ts'
import type { Decision } from '../decision.ts'
import type { RateLimiter } from '../limiter.ts'
import type { Headers } from './headers.ts'
import type { Refuse } from './outcome.ts'
import { isTighter } from './rank.ts'

/** What a request is asked for at one guard. */
export interface Price {
  readonly policy: unknown
  readonly also: unknown
  readonly cost: Cost | typeof WHOLE_LIMIT | undefined
}

/** One guard that a request has passed. */
export interface Visit extends Price {
  readonly limiter: Pick<RateLimiter<never>, 'store'>
  readonly decision: Decision
  /** How that guard refuses. */
  readonly refuse: Refuse
  /** The headers that it showed; undefined where another's were tighter. */
  shown: Headers | undefined
}

// On the request itself: a WeakMap would cost as much as the whole check. `for`: copies of the package share it.
// Assigned: to define a property takes a tenth of the whole check.
const VISITS = Symbol.for('halt.visits')

interface Visited {
  [VISITS]?: Visit[]
}

/**
 * Where the visits of a request are noted: on an object that lives as long, and takes a property cheaply.
 *
 * Of a request of Node's its list of raw headers: Express gives each request a prototype of its own, and a new property on
 * such an object takes longer than a whole check.
 */
export function placeOf(request: object): object {
  const { rawHeaders } = request as { readonly rawHeaders?: unknown }
  return Array.isArray(rawHeaders) ? rawHeaders : request
}

/** The guards that a request has passed, in order; undefined before the first. */
export function visitsOf(place: object): Visit[] | undefined {
  return (place as Visited)[VISITS]
}

/** Notes a visit; true when its decision is to be shown: none before is tighter. */
export function noteVisit(place: object, visit: Visit): boolean {
  const earlier = visitsOf(place)
  if (earlier === undefined) {
    ;(place as Visited)[VISITS] = [visit]
    return true
  }
  const isTightest = earlier.every(({ decision }) => !isTighter(decision, visit.decision))
  earlier.push(visit)
  return isTightest
}

/** What a limiter has charged a request so far, units by policy; undefined where it has decided nothing yet. */
export function chargedBy<R>(
  limiter: RateLimiter<R>,
  visits: readonly Visit[],
): ReadonlyMap<string, number> | undefined {
  let charged: Map<string, number> | undefined
  for (const visit of visits) {
    if (visit.limiter !== limiter) continue
    charged ??= new Map()
    // Asked of the limiter: it alone, of several copies of the package, knows its decisions.
    for (const [name, units] of limiter.chargesOf(visit.decision))
      charged.set(name, (charged.get(name) ?? 0) + units)
  }
  return charged
}

/** Whether policies were charged all that a request is asked for. */
export function isPaid(
  policies: readonly CompiledPolicy[],
  { cost }: Pick<Price, 'cost'>,
  charged: ReadonlyMap<string, number>,
): boolean {
  return policies.every(policy => policy.off || (charged.get(policy.name) ?? -1) >= costFor(policy, cost))
}

/** Whether the store of a limiter has failed the request at an earlier guard. */
export function hasFailed({ store }: Visit['limiter'], visits: readonly Visit[]): boolean {
  return visits.some(({ decision, limiter }) => decision.degraded !== false && limiter.store === store)
}

/** The names of headers that guards before have shown and that other headers do not replace. */
export function outshone(place: object, headers: Headers): readonly string[] {
  const earlier = visitsOf(place)
  if (earlier === undefined) return NONE
  const names = earlier.flatMap(({ shown }) => Object.keys(shown ?? {}))
  return names.filter(name => !Object.hasOwn(headers, name))
}

const NONE: readonly string[] = Object.freeze([])
