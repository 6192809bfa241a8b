import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiter } from '@halt/core'

/** A process's job: to ask for units of the service, as often as it can. */
export interface Job {
  /** Units in each hour. */
  readonly limit: number
  readonly isLeased: boolean
  /** How long it asks, in milliseconds. Undefined: until it has been refused for {@link PATIENCE_MS}. */
  readonly ms?: number | undefined
}

/** What a process has asked for, and what it was given. */
export interface Count {
  readonly asked: number
  readonly admitted: number
  /** The time from the first ask to the last answer, in milliseconds. */
  readonly ms: number
}

const AT_ONCE = 64
/** Local answers take no turn of the event loop, so sockets and messages are read in between. */
const ASKS_A_TURN = 32
/** Longer than another process keeps units that it does not use. */
const PATIENCE_MS = 700
const PAUSE_MS = 5

/** Asks until the job is done, or until `signal` is aborted. */
export async function load(limiter: RateLimiter, { ms }: Job, signal: AbortSignal): Promise<Count> {
  let [asked, admitted] = [0, 0]
  const began = performance.now()
  // Since the first refusal that no admission has followed. A machine that stands still refuses nothing.
  let refusedSince: number | undefined
  const isOver = (): boolean => {
    const now = performance.now()
    return ms === undefined ? now - (refusedSince ?? now) >= PATIENCE_MS : now - began >= ms
  }
  const askSome = async (): Promise<boolean> => {
    for (let i = 0; i < ASKS_A_TURN && !signal.aborted; i++) {
      asked++
      if (!(await limiter.consume('the service')).allowed) {
        refusedSince ??= performance.now()
        return false
      }
      admitted++
      refusedSince = undefined
    }
    return true
  }
  const ask = async (): Promise<void> => {
    while (!signal.aborted && !isOver()) {
      if (await askSome()) await new Promise(resolve => void setImmediate(resolve))
      else await sleep(PAUSE_MS)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, ask))
  return { asked, admitted, ms: performance.now() - began }
}
