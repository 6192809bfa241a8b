/** What is asked of a response whose decision is awaited: Node's own, of HTTP/1 or HTTP/2. */
export interface DecidingResponse {
  writeHead?: unknown
  end?: unknown
}

type Method = (this: unknown, ...args: unknown[]) => unknown

const listening = new WeakMap<DecidingResponse, (() => void)[]>()

/**
 * Calls back once the application has decided a response: its status is written, or it has ended.
 *
 * By the methods that decide, not by an event: a response that its client does not read, or that waits behind another one of
 * its connection, has decided its status and emits nothing.
 */
export function onResponseDecision(response: DecidingResponse, decided: () => void): void {
  const others = listening.get(response)
  // The methods are wrapped once, however many guards the response passes.
  if (others !== undefined) return void others.push(decided)
  const listeners = [decided]
  listening.set(response, listeners)
  const tell = (): void => {
    for (const each of listeners.splice(0)) each()
  }
  wrap(response, 'writeHead', tell)
  wrap(response, 'end', tell)
}

function wrap(response: DecidingResponse, name: 'writeHead' | 'end', tell: () => void): void {
  const method = response[name]
  if (typeof method !== 'function') return
  response[name] = function (this: unknown, ...args: unknown[]): unknown {
    // After the call: a status that the method refuses, by an error, is not decided.
    const given = (method as Method).apply(this, args)
    tell()
    return given
  }
}
