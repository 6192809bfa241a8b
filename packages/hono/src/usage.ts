import type { Limiter } from '@halt/core'
import { checkLimiter, usageOf } from '@halt/core/http'
import type { Context, Env, Handler } from 'hono'

import { type GetConnInfo, viewOf } from './view.ts'

/**
 * Makes a handler that tells each client what it has left of its own limits. It charges nothing.
 *
 * @param options `getConnInfo`: the one that {@link halt} got
 * @throws HaltError `HALT_E_LIMITER`
 * @example
 * app.get('/usage', usage(limiter, { getConnInfo }))
 */
export function usage<E extends Env = Env>(
  limiter: Limiter<Context<E>>,
  { getConnInfo }: { readonly getConnInfo?: GetConnInfo<E> | undefined } = {},
): Handler<E> {
  checkLimiter(limiter)
  return async c => {
    const { headers, body } = await usageOf(limiter, viewOf(c, getConnInfo))
    return c.body(JSON.stringify(body), 200, { ...headers })
  }
}
