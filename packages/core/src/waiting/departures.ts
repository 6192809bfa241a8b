import { eventLoop } from '../base/event-loop.ts'
import type { AbortSignalLike } from './acquire-options.ts'

type Leave = (reason: unknown) => void

/** How many callers leave in one turn of the event loop, so that thousands who share a signal hold nothing else up. */
const SLICE = 500

/** The callers that leave when a signal is aborted, and the listener of them all. */
class Departure {
  readonly listener: () => void
  // Most signals have one caller, which needs no set.
  #only: Leave | undefined
  #others: Set<Leave> | undefined

  constructor(signal: AbortSignalLike) {
    this.listener = () => {
      bySignal.delete(signal)
      const only = this.#only
      this.#only = undefined
      only?.(signal.reason)
      this.#leaveNext(signal.reason)
    }
  }

  #leaveNext(reason: unknown): void {
    const others = this.#others ?? []
    let left = SLICE
    for (const leave of others) {
      if (left-- === 0) return eventLoop.afterRead(() => this.#leaveNext(reason))
      this.#others!.delete(leave)
      leave(reason)
    }
  }

  add(leave: Leave): void {
    if (this.isEmpty) this.#only = leave
    else (this.#others ??= new Set()).add(leave)
  }

  delete(leave: Leave): void {
    if (this.#only === leave) this.#only = undefined
    else this.#others?.delete(leave)
  }

  get isEmpty(): boolean {
    return this.#only === undefined && (this.#others === undefined || this.#others.size === 0)
  }
}

// One listener per signal, because a process often gives the same one to thousands of callers, and Node warns of eleven listeners.
const bySignal = new WeakMap<AbortSignalLike, Departure>()

/** Lets a caller leave when a signal is aborted. Returns the function that ends that. */
export function onAbort(signal: AbortSignalLike, leave: Leave): () => void {
  const departure = bySignal.get(signal) ?? listenTo(signal)
  departure.add(leave)
  return () => {
    departure.delete(leave)
    if (!departure.isEmpty || bySignal.get(signal) !== departure) return
    bySignal.delete(signal)
    signal.removeEventListener('abort', departure.listener)
  }
}

function listenTo(signal: AbortSignalLike): Departure {
  const departure = new Departure(signal)
  signal.addEventListener('abort', departure.listener, { once: true })
  bySignal.set(signal, departure)
  return departure
}
