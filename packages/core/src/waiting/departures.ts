import type { AbortSignalLike } from './acquire-options.ts'

/** The callers that leave when a signal is aborted, and the listener of them all. */
interface Departure {
  readonly leavers: Set<(reason: unknown) => void>
  readonly listener: () => void
}

// One listener per signal, because a process often gives the same one to thousands of callers, and Node warns of eleven listeners.
const bySignal = new WeakMap<AbortSignalLike, Departure>()

/** Lets a caller leave when a signal is aborted. Returns the function that ends that. */
export function onAbort(signal: AbortSignalLike, leave: (reason: unknown) => void): () => void {
  const departure = bySignal.get(signal) ?? listenTo(signal)
  departure.leavers.add(leave)
  return () => {
    departure.leavers.delete(leave)
    if (departure.leavers.size > 0 || bySignal.get(signal) !== departure) return
    bySignal.delete(signal)
    signal.removeEventListener('abort', departure.listener)
  }
}

function listenTo(signal: AbortSignalLike): Departure {
  const leavers: Departure['leavers'] = new Set()
  const listener = (): void => {
    bySignal.delete(signal)
    for (const leave of leavers) leave(signal.reason)
  }
  const departure = { leavers, listener }
  signal.addEventListener('abort', listener, { once: true })
  bySignal.set(signal, departure)
  return departure
}
