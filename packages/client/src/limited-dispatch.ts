import { HaltError } from '@halt/core'

import { Attempts } from './attempts.ts'
import { canResend } from './bodies.ts'
import { type DispatchHandler, LimitedCall } from './dispatch-handler.ts'
import { type CallOptions, readOptions } from './options.ts'
import { toHeaders } from './outgoing-call.ts'

/** The options of a dispatch that the interceptor reads. */
export interface DispatchedCall {
  readonly origin?: string | { readonly href: string } | undefined
  readonly path: string
  readonly method: string
  readonly headers?: unknown
  readonly body?: unknown
}

/** Sends a call of undici. */
export type Dispatch<Call, Handler> = (call: Call, handler: Handler) => boolean

/**
 * An interceptor for undici 7 and 8: every call of a dispatcher waits for its turn. It does what `limitedFetch` does, also for
 * `request`, `stream` and the `fetch` of Node.
 *
 * @example
 * const dispatcher = new Agent().compose(limitedDispatch({ limiter }))
 * await request('https://api.example.com/items', { dispatcher })
 */
export function limitedDispatch(
  options: CallOptions,
): <Call extends DispatchedCall, Handler extends object>(
  dispatch: Dispatch<Call, Handler>,
) => Dispatch<Call, Handler> {
  const settings = readOptions(options, 'limitedDispatch')
  return <Call extends DispatchedCall, Handler extends object>(dispatch: Dispatch<Call, Handler>) =>
    (call: Call, given: Handler): boolean => {
      const handler: DispatchHandler = given
      if (typeof handler.onRequestStart !== 'function')
        throw new HaltError(
          'HALT_E_OPTION',
          'The handler of the call has no onRequestStart, so this is not undici 7 or newer.',
          'Use limitedDispatch with undici 7 or newer, or use limitedFetch.',
        )
      const method = call.method.toUpperCase()
      const url = new URL(call.path, typeof call.origin === 'object' ? call.origin.href : call.origin).href
      const attempts = new Attempts(settings, url, method, canResend(call.body), () => ({
        url,
        method,
        headers: toHeaders(call.headers),
      }))
      const send = (again: DispatchHandler): void => void dispatch(call, again as Handler)
      void new LimitedCall(attempts, handler, send).attempt()
      return true
    }
}
