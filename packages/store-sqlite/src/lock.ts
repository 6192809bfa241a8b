import { setTimeout as sleep } from 'node:timers/promises'

import { isBusy } from './store-error.ts'

// A decision holds the lock for some 20 µs, so it pays to look again soon. SQLite's own waits are 1, 2, 5, … milliseconds.
const FIRST_MS = 0.02
const LONGEST_MS = 1
const GROWTH = 1.5

/**
 * Does some work that needs the lock of the file, and does it again while another connection has the lock. The event loop stands still
 * meanwhile.
 *
 * @param patience the longest wait in milliseconds
 */
export function whenFree<T>(work: () => T, patience: number): T {
  let end: number | undefined
  for (let pause = FIRST_MS; ; pause = Math.min(pause * GROWTH, LONGEST_MS)) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw error
      const now = performance.now()
      end ??= now + patience
      if (now >= end) throw error
      standStill(Math.min(pause, end - now))
    }
  }
}

/**
 * Does the same without standing still: while another connection has the lock, it tries again in later turns of the event loop.
 *
 * @param patience the longest wait in milliseconds
 */
export async function inLaterTurns<T>(work: () => T, patience: number): Promise<T> {
  const end = performance.now() + patience
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error
      await sleep(LONGEST_MS)
    }
  }
}

let cell: Int32Array | undefined

function standStill(ms: number): void {
  cell ??= new Int32Array(new SharedArrayBuffer(4))
  Atomics.wait(cell, 0, 0, ms)
}
