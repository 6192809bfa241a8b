import type { Decision } from '../check/decision.ts'
import type { PriorGuards } from '../check/prior-guards.ts'
import type { Limiter } from '../limiter/limiter.ts'
import { isTighter } from './headers.ts'
import { findPassed, type GuardOutcome, type Outcome } from './outcome.ts'

// perf: bench "express: halt"; a property on the holder, because a WeakMap would cost as much as the whole check. It is
// assigned, because to define a property takes a tenth of the check. `Symbol.for`, so that copies of the package share it.
const PASSED = Symbol.for('halt.visits')

interface Holder {
  [PASSED]?: GuardOutcome
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
export function lastPassed(holder: object): GuardOutcome | undefined {
  return (holder as Holder)[PASSED]
}

/** Records the last guard that a request has passed. */
export function notePassed(holder: object, passed: GuardOutcome): void {
  ;(holder as Holder)[PASSED] = passed
}

/** The binding decision of the guards that a request has passed, for `req.halt`. */
export function decisionOf(requestObject: object): Decision | undefined {
  return bindingOutcome(requestObject)?.decision
}

/** The outcome of the tightest guard that a request has passed. The response shows the headers of this outcome. */
export function bindingOutcome(requestObject: object): Outcome | undefined {
  return findPassed(lastPassed(holderOf(requestObject)), ({ binding }) => binding)
}

/** Derives the prior guards of a limiter's next check from the guards that the request has passed. */
export function priorGuardsOf<R>(limiter: Limiter<R>, last: GuardOutcome): PriorGuards {
  const decisions: Decision[] = []
  let storeFailed = false
  for (let passed: GuardOutcome | undefined = last; passed !== undefined; passed = passed.before) {
    const { mount, decision } = passed
    if (mount.limiter === limiter) decisions.push(decision)
    if (mount.limiter?.store === limiter.store && decision.degraded !== false) storeFailed = true
  }
  return { decisions, storeFailed }
}

/** Whether a decision binds the client at least as much as every passed guard. */
export function isTightest(decision: Decision, last: GuardOutcome): boolean {
  return findPassed(last, passed => isTighter(passed.decision, decision)) === undefined
}

/**
 * The accessor of `req.halt`, defined once for all requests of one Express. It reads the binding decision that the guards
 * have noted.
 *
 * Express changes the prototype of each request, which gives each request a hidden class of its own. Adding a property to
 * such a request takes longer than several checks.
 */
const halt: PropertyDescriptor & ThisType<{ readonly rawHeaders?: unknown }> = {
  configurable: true,
  enumerable: true,
  get() {
    return Array.isArray(this.rawHeaders) ? decisionOf(this) : undefined
  },
  set(value) {
    Object.defineProperty(this, 'halt', { value, configurable: true, enumerable: true, writable: true })
  },
}

let lastPrototype: unknown
let hasProperty = false

/** True if a request has the accessor `halt`: requests of Express do, requests of other servers do not. */
export function hasDecisionProperty(request: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(request)
  if (prototype !== lastPrototype) {
    lastPrototype = prototype
    const root = rootOf(prototype)
    hasProperty =
      root !== undefined && (Object.hasOwn(root, 'halt') || Reflect.defineProperty(root, 'halt', halt))
  }
  return hasProperty
}

// Walks from the prototype of the requests of an app, which has `app`, to the prototype of all requests of its Express. Above it
// is the class of Node, which other servers use too.
function rootOf(prototype: unknown): object | undefined {
  let root = prototype as object | null
  if (root === null || !Object.hasOwn(root, 'app')) return undefined
  while (root !== null) {
    const above = Object.getPrototypeOf(root) as object | null
    if (above !== null && Object.hasOwn(above, 'constructor'))
      return above.constructor.name === 'IncomingMessage' ? root : undefined
    root = above
  }
  return undefined
}
