import type { Decision } from '@halt/core'
import {
  fromCaller,
  HaltError,
  type AdapterOptions,
  type AnswerOptions,
  runCallback,
  checkGuardOptions,
  guard,
  type GuardOptions,
  guardOptionsOf,
  limiterOf,
  type LimiterShorthand,
  LIMITER_OPTIONS,
  messageOf,
  type Outcome,
  type RequestOptions,
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { Context, Env, MiddlewareHandler, Next } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'

import { accompany, type AnsweredRequest, departureFrom } from './accompany.ts'
import { writeAtHead } from './node-head.ts'
import {
  addMissingHeaders,
  decisionShownOn,
  refusalResponse,
  setHeaders,
  showDecision,
  withHeaders,
} from './response.ts'
import { ContextView, type GetConnInfo } from './view.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** The binding decision of the guards that this request has passed; undefined if no guard has checked it. */
    halt: Decision | undefined
  }
}

/** Options of {@link halt}: a limiter or the options of one, and the options that all adapters share. */
export type HaltOptions<E extends Env = Env> = LimiterShorthand<Context<E>> & HonoOptions<E>

/** The options that do not belong to the limiter. */
// No interface: with one, editors do not show these texts.
type HonoOptions<E extends Env> = AnswerOptions &
  RequestOptions<Context<E>> & {
    /**
     * Gives the address of the socket's peer: the `getConnInfo` of your runtime, from `@hono/node-server/conninfo` on Node.
     * Without it all requests share one counter.
     */
    readonly getConnInfo?: GetConnInfo<E> | undefined
    /**
     * Gets the response of the app. If it returns false, the charge is refunded. A request that is aborted before its answer
     * stays charged, and so does a request for which this function fails.
     */
    readonly chargeWhen?: ((response: Response, c: Context<E>) => boolean | Promise<boolean>) | undefined
    /** Answers a refused request instead of the default body. The status of `c` is set already, and the headers are added. */
    readonly onLimited?: ((decision: Decision, c: Context<E>) => Response | Promise<Response>) | undefined
  }

const OWN_OPTIONS: readonly string[] = [...LIMITER_OPTIONS, 'limiter', 'onLimited', 'getConnInfo']

/**
 * Middleware that counts requests and answers those over the limit with 429.
 *
 * Works with `app.use`, sub-apps and single routes, on every runtime of Hono. `c.get('halt')` is the decision.
 *
 * @throws HaltError when an option is wrong
 * @example
 * app.use(halt({ policy: presets.PUBLIC_API, getConnInfo }))
 * app.post('/auth/login', halt({ limiter: authLimiter, getConnInfo }), login)
 */
export function halt<E extends Env = Env>(options: HaltOptions<E>): MiddlewareHandler<E> {
  const { getConnInfo, onLimited, chargeWhen } = options
  const requestGuard = fromCaller(halt, () => {
    checkGuardOptions(options as GuardOptions, OWN_OPTIONS)
    checkConnInfo(options.getConnInfo)
    const own = limiterOf<Context<E>>(options, () => new InMemoryStore())
    return guard<Context<E>, AnsweredRequest<E>>(own, {
      ...guardOptionsOf<Context<E>, never>(options as AdapterOptions<Context<E>, never>),
      chargeWhen: chargeWhen && (({ response, c }) => chargeWhen(response, c)),
    })
  })
  const { limiter } = requestGuard
  const onError = (error: unknown): void => {
    limiter.warn({
      code: 'HALT_W_CALLBACK',
      message: `getConnInfo failed: ${messageOf(error)}.`,
      fix: 'Give the getConnInfo of your runtime. Requests without an address share one counter.',
    })
  }

  return function haltMiddleware(c, next) {
    const departure = requestGuard.delays ? departureFrom(c) : undefined
    const entered = requestGuard.enter(new ContextView(c, getConnInfo, onError), c, departure)
    return 'then' in entered
      ? entered.then(outcome => conclude(outcome, c, next))
      : conclude(entered, c, next)
  }

  function conclude(outcome: Outcome, c: Context<E>, next: Next): Promise<Response | void> {
    showDecision(outcome, c)
    if (!outcome.pass) {
      // Set the headers first, so that every response made with `c` has them.
      setHeaders(outcome, c)
      return answer(outcome, c)
    }
    const isAtHead = !outcome.binding || writeAtHead(c)
    if (!isAtHead) setHeaders(outcome, c)
    const answered =
      requestGuard.needsResponse && outcome.charged ? accompany(c, next, requestGuard, outcome) : next()
    return answered.then(isAtHead ? nothing : () => complete(outcome, c))
  }

  // A response that the app made without `c` lacks the headers. If a later guard was tighter, keep the headers of that guard.
  function complete(outcome: Outcome, c: Context<E>): void {
    if (decisionShownOn(c) === outcome.decision) addMissingHeaders(c, outcome.headers)
  }

  async function answer(outcome: Outcome, c: Context<E>): Promise<Response> {
    const { decision } = outcome
    if (onLimited === undefined || decision === undefined) return refusalResponse(outcome, c)
    // Set the status first, so that `c.json(…)` alone is a refusal.
    c.status(outcome.status as StatusCode)
    // A body can be sent once, and `onLimited` may answer all by one constant response.
    const custom = async (): Promise<Response> =>
      withHeaders((await onLimited(decision, c)).clone(), outcome.headers, c)
    const fix = 'Return a Response. Such a request gets the default answer.'
    const answered = await runCallback(limiter, 'onLimited', fix, custom)
    return answered.failed ? refusalResponse(outcome, c) : answered.value
  }
}

// Hono's next() gives its own context, which is not an answer.
function nothing(): void {}

function checkConnInfo(getConnInfo: unknown): void {
  if (getConnInfo === undefined || typeof getConnInfo === 'function') return
  const fix = "On Node: import { getConnInfo } from '@hono/node-server/conninfo'."
  throw new HaltError('HALT_E_OPTION', 'getConnInfo is not a function.', fix)
}
