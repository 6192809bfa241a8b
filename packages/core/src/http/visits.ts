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

/** One guard that a request has passed, and those before it. */
export interface Visit extends Price {
  /** Undefined where a handler decided by itself. */
  readonly limiter: Pick<RateLimiter<never>, 'store'> | undefined
  readonly decision: Decision
  /** How that guard refuses. */
  readonly refuse: Refuse
  /** The headers that it showed; undefined where another's were tighter. */
  readonly shown: Headers | undefined
  readonly before: Visit | undefined
}

// On the request itself: a WeakMap would cost as much as the whole check. `for`: copies of the package share it.
// Assigned: to define a property takes a tenth of the whole check.
const VISITS = Symbol.for('halt.visits')

interface Visited {
  [VISITS]?: Visit
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

/** The last guard that a request has passed; undefined before the first. */
export function lastVisit(place: object): Visit | undefined {
  return (place as Visited)[VISITS]
}

/** Notes a visit as the last. */
export function noteVisit(place: object, visit: Visit): void {
  ;(place as Visited)[VISITS] = visit
}

/** The binding decision of the guards that a request has passed: what adapters show. */
export function decisionOf(visitor: object): Decision | undefined {
  return findVisit(lastVisit(placeOf(visitor)), ({ shown }) => shown !== undefined)?.decision
}

/** The last visit that something is true of. */
export function findVisit(last: Visit | undefined, is: (visit: Visit) => boolean): Visit | undefined {
  let visit = last
  while (visit !== undefined && !is(visit)) visit = visit.before
  return visit
}

/** What a limiter has charged a request so far, units by policy; undefined where it has decided nothing yet. */
export function chargedBy<R>(limiter: RateLimiter<R>, last: Visit): ReadonlyMap<string, number> | undefined {
  let charged: Map<string, number> | undefined
  for (let visit: Visit | undefined = last; visit !== undefined; visit = visit.before) {
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
export function hasFailed({ store }: Pick<RateLimiter<never>, 'store'>, last: Visit): boolean {
  const isFailed = ({ decision, limiter }: Visit): boolean =>
    decision.degraded !== false && limiter?.store === store
  return findVisit(last, isFailed) !== undefined
}

/** Whether no visit so far binds the client more than a decision. */
export function isTightest(decision: Decision, last: Visit): boolean {
  return findVisit(last, visit => isTighter(visit.decision, decision)) === undefined
}

/** The names of headers that visits have shown and that other headers do not replace. */
export function outshone(last: Visit, headers: Headers): readonly string[] {
  const names: string[] = []
  for (let visit: Visit | undefined = last; visit !== undefined; visit = visit.before)
    names.push(...Object.keys(visit.shown ?? {}))
  return names.filter(name => !Object.hasOwn(headers, name))
}
