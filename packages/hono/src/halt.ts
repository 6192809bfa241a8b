import { type Decision, HaltError, type RateLimiter } from '@halt/core'
import {
  callUser,
  checkGuardOptions,
  guard,
  type GuardOptions,
  type LimiterShorthand,
  limiterOf,
  LIMITER_OPTIONS,
  type Outcome,
} from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import type { Context, Env, MiddlewareHandler } from 'hono'

import { refusalOf, withHeaders } from './response.ts'
import { settleAround } from './settle.ts'
import { ContextView } from './view.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** The binding decision of the Halt guards passed so far. */
    halt: Decision | undefined
  }
}

/** What Halt reads of Hono's `ConnInfo`. */
export interface ConnInfo {
  readonly remote: { readonly address?: string | undefined }
}

/** Options of {@link halt}: a limiter, or any of its options, beside those all adapters share. */
export type HaltOptions<E extends Env = Env> = LimiterShorthand<Context<E>> &
  GuardOptions<Context<E>, Response> & {
    /**
     * Tells the peer's address: `getConnInfo` of your runtime's package, `@hono/node-server/conninfo`, `hono/bun`, ….
     * Without it, or where it finds none, all requests without an address share one counter.
     */
    readonly getConnInfo?: ((c: Context<E>) => ConnInfo) | undefined
    /** Answers a refused request instead of the default body; its headers are added. */
    readonly onLimited?: ((decision: Decision, c: Context<E>) => Response | Promise<Response>) | undefined
  }

/**
 * Middleware that counts requests and answers those over the limit with 429.
 *
 * Runs wherever Hono runs. `c.get('halt')` is the decision.
 *
 * @throws HaltError when an option is wrong
 * @example
 * app.use(halt({ policy: presets.PUBLIC_API, getConnInfo }))
 * app.post('/auth/login', halt({ limiter: authLimiter, getConnInfo }), login)
 */
export function halt<E extends Env = Env>(options: HaltOptions<E>): MiddlewareHandler<E> {
  checkGuardOptions(options as GuardOptions, [...LIMITER_OPTIONS, 'limiter', 'onLimited', 'getConnInfo'])
  const limiter = limiterOf<Context<E>>(options, () => new InMemoryStore())
  const addressOf = addressFinder(limiter, options.getConnInfo)
  // Without a limiter of its own, `policy` is the limiter's already.
  const { policy, ...rest } = options as GuardOptions<Context<E>, Response>
  const gate = guard(limiter, options.limiter === undefined ? rest : { ...rest, policy })

  return async function haltMiddleware(c, next) {
    const entered = gate.enter(new ContextView(c, addressOf), c)
    const outcome = entered instanceof Promise ? await entered : entered
    announce(c, outcome)
    if (!outcome.pass) return answer(outcome, c)
    if (gate.watches && outcome.charged) await settleAround(c, next, gate, outcome, isHeld(limiter, outcome))
    else await next()
    complete(c, outcome)
  }

  async function answer(outcome: Outcome, c: Context<E>): Promise<Response> {
    const { onLimited } = options
    if (onLimited === undefined) return refusalOf(c, outcome)
    const fix = 'Such a request gets the default answer.'
    const answered = await callUser(limiter, 'onLimited', fix, () => onLimited(outcome.decision as Decision, c))
    return answered.failed ? refusalOf(c, outcome) : withHeaders(answered.value, outcome.headers)
  }
}

/**
 * The answer a guard would have given: for a handler that decided by itself.
 *
 * @example
 * const decision = await limiter.check(c.req.raw, { ip, cost: 10 })
 * if (!decision.allowed) return sendLimited(c, decision)
 */
export function sendLimited<E extends Env>(
  c: Context<E>,
  decision: Decision,
  options: GuardOptions<Context<E>, Response> = {},
): Response {
  const outcome = guard(NO_LIMITER as RateLimiter<Context<E>>, options).refuse(decision)
  announce(c, outcome)
  return refusalOf(c, outcome)
}

// Headers in the default dialect need nothing of the limiter.
const NO_LIMITER: unknown = { policies: [], policyNamed: () => undefined, warn: () => {} }
