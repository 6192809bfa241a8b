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
