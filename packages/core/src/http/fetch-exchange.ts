import type { Guard } from './guard.ts'
import type { Outcome } from './outcome.ts'
import { type EndingResponse, onResponseEnd } from './response-end.ts'

/** The course of one admitted request in a Fetch app: the adapter tells what the app does, and the guard learns it. */
export interface FetchExchange {
  /**
   * Call it once the app has answered, with undefined if it gave no response.
   *
   * @returns the response to send in its place
   */
  answered(response: Response | undefined): Response | undefined
  /** Call it if the app threw. */
  failed(): void
}

/**
 * Watches an admitted request of a Fetch app for a guard. Tells the guard when the app has answered, and when the request has
 * ended: its body was read or cancelled, or its client has left.
 *
 * @param request its signal is read only if there is no `outgoing`, because some runtimes make it when it is read
 * @param outgoing Node's own response, where Node serves the app. Its events then show the end of the request.
 * @param shown makes the argument of `chargeWhen`
 */
export function watchFetch<R, S>(
  guard: Guard<R, S>,
  outcome: Outcome,
  request: Pick<Request, 'method' | 'signal'>,
  outgoing: EndingResponse | undefined,
  shown: (response: Response) => S,
): FetchExchange {
  let isOver = false
  const leave = (): void => {
    if (!isOver) guard.leave(outcome)
    isOver = true
  }
  if (outgoing === undefined) whenAborted(request.signal, leave)
  else onResponseEnd(outgoing, leave)
  return {
    answered(response) {
      if (response !== undefined && !isOver) guard.decided(outcome, shown(response))
      if (outgoing !== undefined) return response
      const body = request.method === 'HEAD' ? undefined : response?.body
      // There is no socket to watch, so the end of the body shows that the answer was sent. Nobody can send a body that is locked.
      if (body && !body.locked && isInFlightUntilSent(guard, outcome))
        return new Response(callAtEnd(body, leave), response)
      leave()
      return response
    },
    failed() {
      // On Node the server answers the error, and onResponseEnd reports the end of that answer.
      if (outgoing === undefined) leave()
    },
  }
}

// The client may have left during the call of the store. Then no further event reports it.
function whenAborted(signal: AbortSignal | undefined, leave: () => void): void {
  signal?.addEventListener('abort', leave, { once: true })
  if (signal?.aborted === true) leave()
}

/** True if the request stays in flight until its last byte is sent, because a concurrency policy counts it. */
function isInFlightUntilSent<R, S>({ limiter }: Guard<R, S>, { decision }: Outcome): boolean {
  return (
    decision?.verdicts.some(({ policy }) => limiter.policyNamed(policy)?.algorithm === 'concurrency') === true
  )
}

/** Passes a body on, and calls back once its last byte is read, or once it fails or is cancelled. */
function callAtEnd(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        end()
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
