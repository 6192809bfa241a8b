import type { AbortSignalLike } from '../waiting/acquire-options.ts'
import { type Outcome, UNCHECKED } from './outcome.ts'
import { type EndingResponse, onResponseEnd } from './response-end.ts'

/**
 * Makes the signal that a request need not wait any longer: its client left, or its response was sent already, such as by a
 * time-out of the application.
 *
 * It is not an `AbortController`, because each request would pay for the error that such a one makes.
 *
 * @param response Node's own response
 */
export function departureOf(response: EndingResponse): AbortSignalLike {
  const listeners = new Set<() => void>()
  const departure = {
    aborted: false,
    addEventListener: (_type: 'abort', listener: () => void) => void listeners.add(listener),
    removeEventListener: (_type: 'abort', listener: () => void) => void listeners.delete(listener),
  }
  onResponseEnd(response, () => {
    departure.aborted = true
    for (const listener of listeners) listener()
  })
  return departure
}

/**
 * The outcome of a request whose client left while the request was held. The application does not get the request. Nobody reads
 * the answer; its status is the one that servers log for such a request.
 */
export const DEPARTED: Outcome = Object.freeze({
  ...UNCHECKED,
  pass: false,
  status: 499,
  body: Object.freeze({ type: 'text/plain; charset=utf-8', text: '', data: Object.freeze({}) }),
})
