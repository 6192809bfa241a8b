import { eventLoop } from '../base/event-loop.ts'
import { afterFreeTime } from '../base/promises.ts'

const INTERVAL_MS = 2

/**
 * Resolves when a condition holds, or after the event loop has been free for `ms` milliseconds; at once if it holds already.
 *
 * It looks again every two milliseconds: for the end of a store, so that nothing on the way to the store has to report to it.
 */
export function pollUntil(holds: () => boolean, ms: number): Promise<void> {
  if (holds()) return Promise.resolve()
  return new Promise(resolve => {
    let isOver = false
    const end = (): void => {
      isOver = true
      resolve()
    }
    const wait = afterFreeTime(ms, end)
    const look = (): void => {
      if (isOver) return
      if (!holds()) return void eventLoop.after(INTERVAL_MS, look)
      wait.cancel()
      end()
    }
    eventLoop.after(INTERVAL_MS, look)
  })
}
