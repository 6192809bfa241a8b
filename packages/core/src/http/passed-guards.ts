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
const PASSED = Symbol.for('halt.visits')

interface Holder {
  [PASSED]?: PassedGuard
}

/**
 * Where the visits of a request are noted: on an object that lives as long, and takes a property cheaply.
 *
 * Of a request of Node's its list of raw headers: Express gives each request a prototype of its own, and a new property on
 * such an object takes longer than a whole check.
 */
export function holderOf(request: object): object {
  const { rawHeaders } = request as { readonly rawHeaders?: unknown }
  return Array.isArray(rawHeaders) ? rawHeaders : request
}

/** The last guard that a request has passed; undefined before the first. */
export function lastPassed(holder: object): PassedGuard | undefined {
  return (holder as Holder)[PASSED]
}

/** Notes a visit as the last. */
export function notePassed(holder: object, passed: PassedGuard): void {
  ;(holder as Holder)[PASSED] = passed
}

/** The binding decision of the guards that a request has passed: what adapters show. */
export function decisionOf(requestObject: object): Decision | undefined {
  return findPassed(lastPassed(holderOf(requestObject)), ({ shown }) => shown !== undefined)?.decision
}

/** The last visit that something is true of. */
function findPassed(
  last: PassedGuard | undefined,
  is: (passed: PassedGuard) => boolean,
): PassedGuard | undefined {
  let passed = last
  while (passed !== undefined && !is(passed)) passed = passed.before
  return passed
}

/** What the visits so far mean for a limiter. */
export function priorGuardsOf<R>(limiter: RateLimiter<R>, last: PassedGuard): PriorGuards {
  const decisions: Decision[] = []
  let storeFailed = false
  for (let passed: PassedGuard | undefined = last; passed !== undefined; passed = passed.before) {
    if (passed.limiter === limiter) decisions.push(passed.decision)
    if (passed.limiter?.store === limiter.store && passed.decision.degraded !== false) storeFailed = true
  }
  return { decisions, storeFailed }
}

/** Whether no visit so far binds the client more than a decision. */
export function isTightest(decision: Decision, last: PassedGuard): boolean {
  return findPassed(last, passed => isTighter(passed.decision, decision)) === undefined
}

/** The names of headers that visits have shown and that other headers do not replace. */
export function staleHeaders(last: PassedGuard, headers: Headers): readonly string[] {
  const names: string[] = []
  for (let passed: PassedGuard | undefined = last; passed !== undefined; passed = passed.before)
    names.push(...Object.keys(passed.shown ?? {}))
  return names.filter(name => !Object.hasOwn(headers, name))
}
