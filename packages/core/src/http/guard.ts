import { type CheckOptions, NO_OPTIONS } from '../check/check-options.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { type Cost, readGivenCost, WHOLE_LIMIT } from '../policy/cost.ts'
import type { Decision } from '../check/decision.ts'
import type { PriorGuards } from '../check/prior-guards.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import { noticeHighCost } from '../misuse/index.ts'
import type { Awaitable } from '../policy/policy.ts'
import { callForId } from '../base/callbacks.ts'
import { announcesBody } from '../request/body.ts'
import { readHeader } from '../request/headers.ts'
import type { RequestView } from '../request/view.ts'
import { isPromise } from '../base/promises.ts'
import { type CallResult, callUser } from './callback.ts'
import { checkGuardOptions, type GuardOptions } from './guard-options.ts'
import { headerWriter } from './headers.ts'
import { type Outcome, PASS, passed } from './outcome.ts'
import { refuser, withStale } from './refusing.ts'
import {
  priorGuardsOf,
  isTightest,
  lastPassed,
  notePassed,
  placeOf,
  type PassedGuard,
} from './passed-guards.ts'

/** Decides requests for an adapter, with all that HTTP needs around it. */
export interface Guard<R = unknown, S = unknown> {
  readonly limiter: RateLimiter<R>
  /**
   * Decides a request.
   *
   * @param visitor the object that lives as long as the HTTP request: a limiter charges it once, however often it is
   * mounted. Undefined: every call is its own charge.
   */
  enter(view: RequestView, visitor?: object): Outcome | Promise<Outcome>
  /** The refusal of a decision, for a handler that decided by itself. */
  refuse(decision: Decision): Outcome
  /**
   * To be called once the application has decided the response: its status is known, though nothing of it may be delivered.
   * Asks `chargeWhen`, and takes what a policy with `inFlight` holds.
   *
   * @param response what `chargeWhen` gets
   */
  decided(outcome: Outcome, response: S): void
  /**
   * To be called once the response was sent or the request aborted. With a response it does first what
   * {@link Guard.decided} does.
   */
  leave(outcome: Outcome, response?: S): void
  /** Whether {@link Guard.decided} has anything to do. */
  readonly asks: boolean
  /** Whether {@link Guard.decided} or {@link Guard.leave} has anything to do. */
  readonly watches: boolean
}

/**
 * Makes a guard: the one place where skipping, costs, headers and refusals are decided for every framework.
 *
 * @param also policies that stand beside those of the options or the limiter, all charged or none: for adapters that
 * merge what applies to a route
 * @throws HaltError when an option or a policy is wrong
 */
export function guard<R, S = unknown>(
  limiter: RateLimiter<R>,
  options: GuardOptions<R, S> = {},
  also?: GuardOptions<R, S>['policy'],
): Guard<R, S> {
  checkGuardOptions(options as GuardOptions)
  const { policies, isOpen } = policiesOf(limiter, options.policy, also)
  if (typeof options.cost !== 'function') noticeHighCost(options.cost, policies, limiter.warn)
  const write = headerWriter(options.headers ?? 'standard', limiter)
  const refuse = refuser(write, options)
  const { policy, skip, cost: price, costOnError = WHOLE_LIMIT, skipPreflight = true } = options
  const { chargeWhen, idempotencyKey: keyOf } = options
  const isOwn = policy === undefined && also === undefined
  const asks = chargeWhen !== undefined || isOpen || policies.some(({ lease }) => lease !== undefined)

  function check(
    view: RequestView,
    place: object | undefined,
    cost: CheckOptions['cost'],
    onError?: CheckOptions['costOnError'],
  ): Outcome | Promise<Outcome> {
    const before = place && lastPassed(place)
    const priorGuards = before && priorGuardsOf(limiter, before)
    const idempotencyKey = keyOf && callForId(limiter.warn, 'idempotencyKey', () => call(keyOf, view))
    const isPlain = before === undefined && cost === undefined && isOwn && idempotencyKey === undefined
    const decision = limiter.checkView(
      view,
      isPlain ? NO_OPTIONS : { cost, costOnError: onError, policy, also, priorGuards, idempotencyKey },
    )
    if (!('then' in decision)) return conclude(decision, place, before, priorGuards)
    // Others may have come to a decision meanwhile.
    return decision.then(found => conclude(found, place, place && lastPassed(place), priorGuards))
  }

  function conclude(
    decision: Decision,
    place: object | undefined,
    before: PassedGuard | undefined,
    priorGuards: PriorGuards | undefined,
  ): Outcome {
    if (priorGuards !== undefined && priorGuards.decisions.includes(decision)) return passedBefore(decision)
    const binding = before === undefined || isTightest(decision, before)
    const outcome = decision.allowed ? passed(decision, write, binding, true) : refuse(decision)
    if (place === undefined) return outcome
    const shown = outcome.binding ? outcome.headers : undefined
    notePassed(place, { limiter, decision, refuse, shown, before })
    return before !== undefined && outcome.binding ? withStale(outcome, before) : outcome
  }

  // Guards before have charged all that this one asks for.
  function passedBefore(decision: Decision): Outcome {
    noticeTwice(limiter, decision)
    return passed(decision, write, false, false)
  }

  return {
    limiter,
    asks,
    watches: asks || policies.some(({ algorithm }) => algorithm === 'concurrency'),
    refuse,
    enter(view, request) {
      const place = request === undefined ? undefined : placeOf(request)
      if (skipPreflight && isPreflight(view)) return PASS
      if (skip === undefined) return priced(view, place)
      const skipped = callUser(limiter, 'skip', 'Such a request is counted.', () => call(skip, view))
      if (isPromise(skipped)) return skipped.then(found => (isSkip(found) ? PASS : priced(view, place)))
      return isSkip(skipped) ? PASS : priced(view, place)
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
    const fix = 'Such a request stays charged.'
    const counts = (said: CallResult<boolean>): boolean => said.failed || Boolean(said.value)
    const asked = callUser(limiter, 'chargeWhen', fix, () => chargeWhen(response))
    void limiter.conclude(decision, isPromise(asked) ? asked.then(counts) : counts(asked))
  }

  function priced(view: RequestView, place: object | undefined): Outcome | Promise<Outcome> {
    if (typeof price !== 'function') return check(view, place, price)
    const fix =
      'Such a request costs costOnError, by default the limit. Give a number from 0, or one by policy name.'
    const use = (result: CallResult<Cost>): Outcome | Promise<Outcome> =>
      result.failed ? check(view, place, costOnError) : check(view, place, result.value, costOnError)
    const found = callUser(limiter, 'cost', fix, () => checked(call(price, view)))
    return isPromise(found) ? found.then(use) : use(found)
  }
}

/** What a guard asks, compiled here so that a mistake shows at start; open where a resolver gives more at each request. */
function policiesOf<R>(
  limiter: RateLimiter<R>,
  policy: CheckOptions<R>['policy'],
  also: CheckOptions<R>['also'],
): { readonly policies: readonly CompiledPolicy[]; readonly isOpen: boolean } {
  const isOpen = policy === undefined && limiter.policies.length === 0
  const isPlain = policy === undefined && also === undefined
  return { isOpen, policies: isPlain ? limiter.policies : limiter.compile(policy, also) }
}

function noticeTwice({ warn }: Pick<RateLimiter<never>, 'warn'>, { policy }: Decision): void {
  warn({
    code: 'HALT_W_LIMITER_TWICE',
    message: `One limiter ("${policy}") stands twice in the way of a request; it was charged once.`,
    fix: 'Mount it once; for another limit on a route build another limiter, with a policy of its own.',
  })
}

/** Calls back with the request and, where the framework has one, its context of the call. */
function call<R, T>(callback: (request: R, context?: unknown) => T, { request, context }: RequestView): T {
  return callback(request as R, context)
}

function isSkip(result: CallResult<boolean>): boolean {
  return !result.failed && result.value === true
}

/** Passes a cost on; throws for what is none. */
function checked(cost: Awaitable<Cost>): Awaitable<Cost> {
  return isPromise(cost) ? (cost as Promise<Cost>).then(readGivenCost) : readGivenCost(cost)
}

/** Whether a request only asks what CORS allows: it has all that a browser sends with a preflight, and no body. */
function isPreflight({ method, headers, hasBody }: RequestView): boolean {
  return (
    method === 'OPTIONS' &&
    readHeader(headers, 'access-control-request-method') !== undefined &&
    readHeader(headers, 'origin') !== undefined &&
    hasBody !== true &&
    !announcesBody(headers)
  )
}
