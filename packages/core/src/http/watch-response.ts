import type { Guard } from './guard.ts'
import type { Outcome } from './outcome.ts'
import { type EndingResponse, onResponseEnd } from './response-end.ts'

/** Node's own response, of HTTP/1 or HTTP/2. */
export type NodeResponse = EndingResponse & DecidingResponse

/**
 * Watches the response of an admitted request for a guard. Tells the guard when the application decides the response, and when
 * the response ends.
 *
 * @param response Node's own response
 * @param shown the argument of `chargeWhen`
 */
export function watchResponse<R, S>(
  guard: Guard<R, S>,
  outcome: Outcome,
  response: NodeResponse,
  shown: S,
): void {
  let isOpen = true
  const decide = (): void => {
    if (isOpen) guard.decided(outcome, shown)
    isOpen = false
  }
  if (guard.needsDecision) onResponseDecision(response, decide)
  onResponseEnd(response, isSent => {
    // A middleware may call response methods that it saved before they were wrapped.
    if (isSent && guard.needsDecision) decide()
    isOpen = false
    guard.leave(outcome)
  })
}

/** The methods by which the application decides Node's own response, of HTTP/1 or HTTP/2. */
export interface DecidingResponse {
  writeHead?: unknown
  end?: unknown
}

type Method = (this: unknown, ...args: unknown[]) => unknown

const listening = new WeakMap<DecidingResponse, (() => void)[]>()

/**
 * Calls back once when the application has decided a response: its status is written, or the response has ended.
 *
 * It wraps the deciding methods instead of waiting for an event. A response emits no event while its client does not read it, or
 * while it waits behind another response of the same connection.
 */
export function onResponseDecision(response: DecidingResponse, decided: () => void): void {
  const others = listening.get(response)
  // The methods are wrapped once, however many guards the response passes.
  if (others !== undefined) return void others.push(decided)
  const listeners = [decided]
  listening.set(response, listeners)
  const notify = (): void => {
    for (const each of listeners.splice(0)) each()
  }
  wrap(response, 'writeHead', notify)
  wrap(response, 'end', notify)
}

function wrap(response: DecidingResponse, name: 'writeHead' | 'end', notify: () => void): void {
  const method = response[name]
  if (typeof method !== 'function') return
  response[name] = function (this: unknown, ...args: unknown[]): unknown {
    // Tell after the call, because the method may throw and then the status is not decided.
    const given = (method as Method).apply(this, args)
    notify()
    return given
  }
}
