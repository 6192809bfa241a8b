import { HaltError } from '@halt/core'
import { describe } from '@halt/core/http'

import { Attempts } from './attempts.ts'
import { canResend, discard } from './bodies.ts'
import { type CallOptions, readOptions } from './options.ts'

/** The type of `fetch`. */
export type Fetch = typeof globalThis.fetch

/** Options of {@link limitedFetch}. */
export interface LimitedFetchOptions extends CallOptions {
  /** The function that sends. Default: the global `fetch`, as it is when a call is sent. */
  readonly fetch?: Fetch | undefined
}

/**
 * A `fetch` that waits for its turn. It sends a refused call again if its method is idempotent and its body is not a stream,
 * and tells the shared counter what answers say, so that all processes slow down.
 *
 * A call rejects with `HALT_E_LIMITED` if it would wait longer than `maxWait`; the error has the `decision`.
 *
 * @example
 * const fetch = limitedFetch({ limiter, key: { custom: 'stripe' } })
 * const response = await fetch('https://api.stripe.com/v1/charges')
 */
export function limitedFetch(options: LimitedFetchOptions): Fetch {
  const settings = readOptions(options, 'limitedFetch', ['fetch'])
  const { fetch: own } = options
  if (own !== undefined && typeof own !== 'function')
    throw new HaltError(
      'HALT_E_OPTION',
      `fetch is ${describe(own)}, not a function.`,
      'Give a function like fetch, or leave it out.',
    )

  return async (input, init) => {
    const request = isRequest(input) ? input : undefined
    const url = isRequest(input) ? input.url : String(input)
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase()
    const signal = (init?.signal === undefined ? request?.signal : init.signal) ?? undefined
    // The body of a Request is a stream, whatever it was made of.
    const isHeld = canResend(init?.body ?? request?.body)
    const attempts = new Attempts(settings, url, method, isHeld, () => ({
      url: new URL(url).href,
      method,
      headers: new Headers(init?.headers ?? request?.headers),
    }))
    for (;;) {
      const turn = await attempts.turn(signal)
      let response: Response
      try {
        response = await (own ?? globalThis.fetch)(input, init)
      } finally {
        await attempts.over(turn)
      }
      const verdict = attempts.judge(response.status, response, response.url)
      if (verdict.again === undefined) {
        await verdict.learned
        return response
      }
      const stop = discard(response)
      try {
        await attempts.rest(verdict, signal)
      } finally {
        stop()
      }
    }
  }
}

/** True for a Request of any implementation. */
function isRequest(input: string | URL | Request): input is Request {
  return typeof input === 'object' && 'url' in input
}
