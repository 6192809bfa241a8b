import type { Decision } from '../check/decision.ts'
import type { PriorGuards } from '../check/prior-guards.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { Headers } from './dialects.ts'
import type { Refuse } from './outcome.ts'
import { isTighter } from './tightest.ts'

/** One guard that a request has passed, and those before it. */
export interface PassedGuard {
  /** Undefined where a handler decided by itself. */
  readonly limiter: Pick<RateLimiter<never>, 'store'> | undefined
  readonly decision: Decision
  /** How that guard refuses. */
  readonly refuse: Refuse
  /** The headers that it showed; undefined where another's were tighter. */
  readonly shown: Headers | undefined
  readonly before: PassedGuard | undefined
}

// On the request itself: a WeakMap would cost as much as the whole check. `for`: copies of the package share it.
// Assigned: to define a property takes a tenth of the whole check.
const VISITS = Symbol.for('halt.visits')

interface Visited {
  [VISITS]?: PassedGuard
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
export function lastPassed(place: object): PassedGuard | undefined {
  return (place as Visited)[VISITS]
}

/** Notes a visit as the last. */
export function notePassed(place: object, visit: PassedGuard): void {
  ;(place as Visited)[VISITS] = visit
}

/** The binding decision of the guards that a request has passed: what adapters show. */
export function decisionOf(visitor: object): Decision | undefined {
  return findPassed(lastPassed(placeOf(visitor)), ({ shown }) => shown !== undefined)?.decision
}

/** The last visit that something is true of. */
function findPassed(
  last: PassedGuard | undefined,
  is: (visit: PassedGuard) => boolean,
): PassedGuard | undefined {
  let visit = last
  while (visit !== undefined && !is(visit)) visit = visit.before
  return visit
}

/** What the visits so far mean for a limiter. */
export function priorGuardsOf<R>(limiter: RateLimiter<R>, last: PassedGuard): PriorGuards {
  const decisions: Decision[] = []
  let storeFailed = false
  for (let visit: PassedGuard | undefined = last; visit !== undefined; visit = visit.before) {
    if (visit.limiter === limiter) decisions.push(visit.decision)
    if (visit.limiter?.store === limiter.store && visit.decision.degraded !== false) storeFailed = true
  }
  return { decisions, storeFailed }
}

/** Whether no visit so far binds the client more than a decision. */
export function isTightest(decision: Decision, last: PassedGuard): boolean {
  return findPassed(last, visit => isTighter(visit.decision, decision)) === undefined
}

/** The names of headers that visits have shown and that other headers do not replace. */
export function outshone(last: PassedGuard, headers: Headers): readonly string[] {
  const names: string[] = []
  for (let visit: PassedGuard | undefined = last; visit !== undefined; visit = visit.before)
    names.push(...Object.keys(visit.shown ?? {}))
  return names.filter(name => !Object.hasOwn(headers, name))
}
