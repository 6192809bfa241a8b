import { type Decision, fromCaller, HaltError } from '@halt/core'
import {
  type AdapterOptions,
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
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { Context, Env, MiddlewareHandler } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'

import { announce, complete, refuse, show, shownOn, withHeaders } from './response.ts'
import { accompany, type Answered } from './accompany.ts'
import { ContextView, type GetConnInfo } from './view.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** The binding decision of the Halt guards passed so far; undefined where none looked at the request. */
    halt: Decision | undefined
  }
}

/** Options of {@link halt}: a limiter, or any of its options, beside those all adapters share. */
export type HaltOptions<E extends Env = Env> = LimiterShorthand<Context<E>> &
  Omit<GuardOptions<Context<E>, Response>, 'policy' | 'chargeWhen'> & {
    /**
     * Tells who is at the other end of the connection: the `getConnInfo` of your runtime, `@hono/node-server/conninfo` on
     * Node. Without it all requests count as one client's.
     */
    readonly getConnInfo?: GetConnInfo<E> | undefined
    /**
     * Looks at the response that the app has answered with; when false, the charge is given back. Not asked for a request that
     * is aborted before: it stays charged, and so does one for which this function fails.
     */
    readonly chargeWhen?: ((response: Response, c: Context<E>) => boolean | Promise<boolean>) | undefined
    /** Answers a refused request instead of the default body; the headers are added, the status is `c.status()` already. */
    readonly onLimited?: ((decision: Decision, c: Context<E>) => Response | Promise<Response>) | undefined
  }

const OWN_OPTIONS: readonly string[] = [...LIMITER_OPTIONS, 'limiter', 'onLimited', 'getConnInfo']

/**
 * Middleware that counts requests and answers those over the limit with 429.
 *
 * Works with `app.use`, sub-apps and single routes, wherever Hono runs. `c.get('halt')` is the decision.
 *
 * @throws HaltError when an option is wrong
 * @example
 * app.use(halt({ policy: presets.PUBLIC_API, getConnInfo }))
 * app.post('/auth/login', halt({ limiter: authLimiter, getConnInfo }), login)
 */
export function halt<E extends Env = Env>(options: HaltOptions<E>): MiddlewareHandler<E> {
  const { getConnInfo, onLimited, chargeWhen } = options
  const gate = fromCaller(halt, () => {
    checkGuardOptions(options as GuardOptions, OWN_OPTIONS)
    checkConnInfo(options.getConnInfo)
    const own = limiterOf<Context<E>>(options, () => new InMemoryStore())
    return guard<Context<E>, Answered<E>>(own, {
      ...guardOptionsOf<Context<E>, never>(options as AdapterOptions<Context<E>, never>),
      chargeWhen: chargeWhen && (({ response, c }) => chargeWhen(response, c)),
    })
  })
  const { limiter } = gate
  const onError = (error: unknown): void => {
    limiter.warn({
      code: 'HALT_W_CALLBACK',
      message: `getConnInfo threw: ${messageOf(error)}.`,
      fix: 'Give the one of the runtime that runs the app; requests without an address share one counter.',
    })
  }

  return async function haltMiddleware(c, next) {
    const entered = gate.enter(new ContextView(c, getConnInfo, onError), c)
    const outcome = 'then' in entered ? await entered : entered
    show(outcome, c)
    // Before the handler, so that what it makes with `c` has them; afterwards where it made it without.
    announce(outcome, c)
    if (!outcome.pass) return answer(outcome, c)
    if (gate.needsResponse && outcome.charged) await accompany(c, next, gate, outcome)
    else await next()
    // What a tighter guard after this one shows stands.
    if (shownOn(c) === outcome.decision) complete(c, outcome.headers)
  }

  async function answer(outcome: Outcome, c: Context<E>): Promise<Response> {
    const { decision } = outcome
    if (onLimited === undefined || decision === undefined) return refuse(outcome, c)
    // So that `c.json(…)` alone is a refusal.
    c.status(outcome.status as StatusCode)
    const custom = async (): Promise<Response> =>
      withHeaders(await onLimited(decision, c), outcome.headers, c)
    const fix = 'Return a Response; such a request gets the default answer.'
    const answered = await runCallback(limiter, 'onLimited', fix, custom)
    return answered.failed ? refuse(outcome, c) : answered.value
  }
}

function checkConnInfo(getConnInfo: unknown): void {
  if (getConnInfo === undefined || typeof getConnInfo === 'function') return
  const fix = "On Node: import { getConnInfo } from '@hono/node-server/conninfo'."
  throw new HaltError('HALT_E_OPTION', 'getConnInfo is no function.', fix)
}
