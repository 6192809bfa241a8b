import type { Decision } from '../check/decision.ts'
import type { PriorGuards } from '../check/prior-guards.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { Headers } from './dialects.ts'
import type { Refuse } from './outcome.ts'
import { isTighter } from './tightest.ts'

/** A guard that a request has passed. `before` links it to the guard that the request passed before. */
export interface PassedGuard {
  /** Undefined when a handler decided by itself. */
  readonly limiter: Pick<RateLimiter<never>, 'store'> | undefined
  readonly decision: Decision
  /** How that guard refuses. */
  readonly refuse: Refuse
  /** The headers that it set; undefined when another guard was tighter. */
  readonly shown: Headers | undefined
  readonly before: PassedGuard | undefined
}

// perf: bench "express: halt"; a property on the holder, because a WeakMap would cost as much as the whole check. It is
// assigned, because to define a property takes a tenth of the check. `Symbol.for`, so that copies of the package share it.
const PASSED = Symbol.for('halt.visits')

interface Holder {
  [PASSED]?: PassedGuard
}

/**
 * The object that holds the guards a request has passed. It lives as long as the request, and adding a property to it is cheap.
 *
 * For Node requests this is `rawHeaders`, because adding a property to an Express request is slower than a whole check.
 */
export function holderOf(request: object): object {
  const { rawHeaders } = request as { readonly rawHeaders?: unknown }
  return Array.isArray(rawHeaders) ? rawHeaders : request
}

/** The last guard that a request has passed; undefined before the first. */
export function lastPassed(holder: object): PassedGuard | undefined {
  return (holder as Holder)[PASSED]
}

/** Records the last guard that a request has passed. */
export function notePassed(holder: object, passed: PassedGuard): void {
  ;(holder as Holder)[PASSED] = passed
}

/** The binding decision of the guards that a request has passed, for `req.halt`. */
export function decisionOf(requestObject: object): Decision | undefined {
  return findPassed(lastPassed(holderOf(requestObject)), ({ shown }) => shown !== undefined)?.decision
}

/** The last passed guard for which a condition holds. */
function findPassed(
  last: PassedGuard | undefined,
  is: (passed: PassedGuard) => boolean,
): PassedGuard | undefined {
  let passed = last
  while (passed !== undefined && !is(passed)) passed = passed.before
  return passed
}

/** Derives the prior guards of a limiter's next check from the guards that the request has passed. */
export function priorGuardsOf<R>(limiter: RateLimiter<R>, last: PassedGuard): PriorGuards {
  const decisions: Decision[] = []
  let storeFailed = false
  for (let passed: PassedGuard | undefined = last; passed !== undefined; passed = passed.before) {
    if (passed.limiter === limiter) decisions.push(passed.decision)
    if (passed.limiter?.store === limiter.store && passed.decision.degraded !== false) storeFailed = true
  }
  return { decisions, storeFailed }
}

/** Whether a decision binds the client at least as much as every passed guard. */
export function isTightest(decision: Decision, last: PassedGuard): boolean {
  return findPassed(last, passed => isTighter(passed.decision, decision)) === undefined
}

/** The names of headers that passed guards have set and that `headers` does not replace. */
export function staleHeaders(last: PassedGuard, headers: Headers): readonly string[] {
  const names: string[] = []
  for (let passed: PassedGuard | undefined = last; passed !== undefined; passed = passed.before)
    names.push(...Object.keys(passed.shown ?? {}))
  return names.filter(name => !Object.hasOwn(headers, name))
}
