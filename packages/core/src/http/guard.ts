import { noticeHighCost } from '#misuse'
import { callForId } from '../base/callbacks.ts'
import { HaltError } from '../base/errors.ts'
import { type Awaitable, isPromise } from '../base/promises.ts'
import { type CheckOptions, NO_OPTIONS } from '../check/check-options.ts'
import type { Decision } from '../check/decision.ts'
import type { PriorGuards } from '../check/prior-guards.ts'
import type { Limiter } from '../limiter/limiter.ts'
import { type Cost, readGivenCost, WHOLE_LIMIT } from '../policy/cost.ts'
import { readHeader } from '../request/headers.ts'
import { type RequestView, announcesBody } from '../request/view.ts'
import type { AbortSignalLike } from '../waiting/acquire-options.ts'
import { type CallResult, runCallback } from './callback.ts'
import { Delay } from './delay.ts'
import { DEPARTED } from './departure.ts'
import { checkGuardOptions, type GuardOptions } from './guard-options.ts'
import { makeMount } from './mount.ts'
import { type Outcome, GuardOutcome, UNCHECKED } from './outcome.ts'
import { priorGuardsOf, isTightest, lastPassed, notePassed, holderOf } from './passed-guards.ts'

/** Decides requests for an adapter, with costs, skipping, headers and refusals. */
export interface Guard<R = unknown, S = unknown> {
  readonly limiter: Limiter<R>
  /**
   * Decides a request.
   *
   * @param requestObject an object that lives as long as the HTTP request. A limiter charges it once, however often the limiter
   * is mounted. Undefined: every call is charged.
   * @param departure aborts when the client leaves. Give it if {@link Guard.delays}: the place of a held request is then given
   * back, and the outcome is a refusal without a decision.
   */
  enter(view: RequestView, requestObject?: object, departure?: AbortSignalLike): Outcome | Promise<Outcome>
  /** Makes the refusal of a decision, for a handler that decided by itself. */
  refuse(decision: Decision): Outcome
  /**
   * Call it once the application has decided the response: its status is known, even if nothing is delivered. It calls
   * `chargeWhen`, and charges the cost that a policy with `inFlight` holds.
   *
   * @param response the argument of `chargeWhen`
   */
  decided(outcome: Outcome, response: S): void
  /**
   * Call it once the response was sent or the request was aborted. With a response it first does what {@link Guard.decided}
   * does.
   */
  leave(outcome: Outcome, response?: S): void
  /** Whether requests are held until it is their turn. */
  readonly delays: boolean
  /** Whether {@link Guard.decided} must be called. */
  readonly needsDecision: boolean
  /** Whether {@link Guard.decided} or {@link Guard.leave} must be called. */
  readonly needsResponse: boolean
}

/**
 * Makes a guard, which decides skipping, costs, headers and refusals alike for every framework.
 *
 * @param also additional policies, for adapters that merge several guards of a route. All policies are charged, or none is.
 * @throws HaltError when an option or a policy is wrong
 */
export function guard<R, S = unknown>(
  limiter: Limiter<R>,
  options: GuardOptions<R, S> = {},
  also?: GuardOptions<R, S>['policy'],
): Guard<R, S> {
  checkGuardOptions(options as GuardOptions)
  refuseFunction(options.policy)
  refuseFunction(also)
  // Compiled here so that a mistake shows at start. The policies of a resolver are only known at each request.
  const policies = limiter.compile(options.policy, also)
  const hasResolver = options.policy === undefined && limiter.policies.length === 0
  if (typeof options.cost !== 'function') noticeHighCost(options.cost, policies, limiter.warn)
  const mount = makeMount(limiter, limiter, options)
  const { policy, skip, cost: costOption, costOnError = WHOLE_LIMIT, skipPreflight = true } = options
  const { chargeWhen, idempotencyKey: idempotencyKeyOf } = options
  const delay = options.delay && new Delay(limiter, options.delay)
  const usesOwnPolicies = policy === undefined && also === undefined
  const needsDecision =
    chargeWhen !== undefined || hasResolver || policies.some(({ lease }) => lease !== undefined)

  function check(
    view: RequestView,
    holder: object | undefined,
    departure: AbortSignalLike | undefined,
    cost: CheckOptions['cost'],
    onError?: CheckOptions['costOnError'],
  ): Outcome | Promise<Outcome> {
    const before = holder && lastPassed(holder)
    const priorGuards = before && priorGuardsOf(limiter, before)
    const idempotencyKey =
      idempotencyKeyOf && callForId(limiter.warn, 'idempotencyKey', () => call(idempotencyKeyOf, view))
    const needsNoOptions =
      before === undefined && cost === undefined && usesOwnPolicies && idempotencyKey === undefined
    const checkOptions: CheckOptions<R> = needsNoOptions
      ? NO_OPTIONS
      : { cost, costOnError: onError, policy, also, priorGuards, idempotencyKey }
    const decision =
      delay === undefined
        ? limiter.decideView(view, checkOptions)
        : delay.decide(view, checkOptions, departure)
    if (!('then' in decision)) return toOutcome(decision, holder, before, priorGuards)
    return decision.then(found =>
      found === undefined
        ? DEPARTED
        : // Another guard may have decided meanwhile.
          toOutcome(found, holder, holder && lastPassed(holder), priorGuards),
    )
  }

  function toOutcome(
    decision: Decision,
    holder: object | undefined,
    before: GuardOutcome | undefined,
    priorGuards: PriorGuards | undefined,
  ): Outcome {
    // Earlier guards have charged everything that this guard would charge.
    if (priorGuards !== undefined && priorGuards.decisions.includes(decision)) {
      noticeTwice(limiter, decision)
      return new GuardOutcome(mount, decision, before, false, false)
    }
    const outcome = decision.allowed
      ? new GuardOutcome(mount, decision, before, before === undefined || isTightest(decision, before), true)
      : mount.refuse(decision, before)
    if (holder !== undefined) notePassed(holder, outcome)
    return outcome
  }

  return {
    limiter,
    delays: delay !== undefined,
    needsDecision,
    needsResponse: needsDecision || policies.some(({ algorithm }) => algorithm === 'concurrency'),
    refuse: decision => mount.refuse(decision, undefined),
    enter(view, request, departure) {
      const holder = request === undefined ? undefined : holderOf(request)
      if (skipPreflight && isPreflight(view)) return UNCHECKED
      if (skip === undefined) return checkWithCost(view, holder, departure)
      const skipped = runCallback(limiter, 'skip', 'Such a request is counted.', () => call(skip, view))
      if (isPromise(skipped))
        return skipped.then(found => (isSkip(found) ? UNCHECKED : checkWithCost(view, holder, departure)))
      return isSkip(skipped) ? UNCHECKED : checkWithCost(view, holder, departure)
    },
    decided,
    leave(outcome, response) {
      if (response !== undefined) decided(outcome, response)
      if (outcome.decision !== undefined && outcome.charged) void limiter.release(outcome.decision)
    },
  }

  function decided({ decision, charged }: Outcome, response: S): void {
    if (decision === undefined || !charged) return
    if (chargeWhen === undefined) return void limiter.conclude(decision, true)
    const consequence = 'Such a request stays charged.'
    const counts = (result: CallResult<boolean>): boolean => result.failed || Boolean(result.value)
    const answer = runCallback(limiter, 'chargeWhen', consequence, () => chargeWhen(response))
    void limiter.conclude(decision, isPromise(answer) ? answer.then(counts) : counts(answer))
  }

  function checkWithCost(
    view: RequestView,
    holder: object | undefined,
    departure: AbortSignalLike | undefined,
  ): Outcome | Promise<Outcome> {
    if (typeof costOption !== 'function') return check(view, holder, departure, costOption)
    const consequence =
      'Such a request costs costOnError, by default the limit. Return a number from 0, or numbers by policy name.'
    const use = (result: CallResult<Cost>): Outcome | Promise<Outcome> =>
      result.failed
        ? check(view, holder, departure, costOnError)
        : check(view, holder, departure, result.value, costOnError)
    const found = runCallback(limiter, 'cost', consequence, () => readCostOf(call(costOption, view)))
    return isPromise(found) ? found.then(use) : use(found)
  }
}

function noticeTwice({ warn }: Pick<Limiter, 'warn'>, { policy }: Decision): void {
  warn({
    code: 'HALT_W_LIMITER_TWICE',
    message: `The limiter "${policy}" is mounted twice on this request; the request was charged once.`,
    fix: 'Mount it once. For another limit on a route build another limiter with a policy of its own.',
  })
}

/** Calls a callback with the request and, in frameworks that have one, the context of the call. */
function call<R, T>(callback: (request: R, context?: unknown) => T, { request, context }: RequestView): T {
  return callback(request as R, context)
}

function isSkip(result: CallResult<boolean>): boolean {
  return !result.failed && result.value === true
}

/** Reads a cost that a callback returned. Throws for a value that is not a cost. */
function readCostOf(cost: Awaitable<Cost>): Awaitable<Cost> {
  return isPromise(cost) ? (cost as Promise<Cost>).then(readGivenCost) : readGivenCost(cost)
}

/** @throws HaltError `HALT_E_POLICY` for a function: only the policy of a limiter may be one */
function refuseFunction(policy: unknown): void {
  if (typeof policy !== 'function') return
  throw new HaltError(
    'HALT_E_POLICY',
    'policy is a function, but it is for a limiter that has a policy already.',
    'Leave limiter out, halt({ store, policy: request => … }), or give the function to a RateLimiter of its own.',
  )
}

/** Whether a request is a CORS preflight: it has the method and headers that a browser sends with one, and no body. */
function isPreflight(view: RequestView): boolean {
  // The other fields are read only for this method, because some views make them when they are read.
  if (view.method !== 'OPTIONS') return false
  const { headers, hasBody } = view
  return (
    readHeader(headers, 'access-control-request-method') !== undefined &&
    readHeader(headers, 'origin') !== undefined &&
    hasBody !== true &&
    !announcesBody(headers)
  )
}
