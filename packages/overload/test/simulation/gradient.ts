import { TurnClock } from '../../src/base/turn-clock.ts'
import type { MakeGuard } from './guards.ts'

const INITIAL = 20
const LEAST = 2
const MOST = 1000
const TOLERANCE = 1.5
const QUEUE = 4
const SMOOTHING = 0.2
// The long average forgets in about this many windows.
const LONG = 600
const WINDOW_MS = 100
const WINDOW_SAMPLES = 20
const WINDOW_LONG_MS = 1000

/**
 * Netflix's Gradient2 on the turn clock: it compares the latency now with a long average of it, and grows by a small queue.
 *
 * Source: `Gradient2Limit.java` of github.com/Netflix/concurrency-limits (Apache 2.0), with its default constants. Latency here
 * counts from the start of the loop's turn.
 */
export const gradient: MakeGuard = loop => {
  const clock = new TurnClock(loop)
  let limit = INITIAL
  let inFlight = 0
  let [long, windows] = [0, 0]
  let [since, samples, inside, age, peak] = [0, 0, 0, Number.POSITIVE_INFINITY, 0]

  const judge = (): void => {
    const short = inside / samples + age
    windows++
    long += (short - long) * (windows < 10 ? 1 / windows : 2 / (LONG + 1))
    // A long average that stays far above the present comes from an overload that has passed.
    if (long / short > 2) long *= 0.95
    // A limit that nobody reaches says nothing about a higher one.
    if (peak < limit / 2) return
    const factor = Math.max(0.5, Math.min(1, (TOLERANCE * long) / Math.max(short, 0.01)))
    limit = Math.min(MOST, Math.max(LEAST, limit * (1 - SMOOTHING) + (limit * factor + QUEUE) * SMOOTHING))
  }

  return {
    enter() {
      clock.enter()
      const { now } = clock
      const ms = now - since
      if (samples > 0 && ms >= WINDOW_MS && (samples >= WINDOW_SAMPLES || ms >= WINDOW_LONG_MS)) {
        judge()
        ;[since, samples, inside, age, peak] = [now, 0, 0, Number.POSITIVE_INFINITY, inFlight]
      }
      if (inFlight >= limit) return undefined
      age = Math.min(age, clock.age)
      peak = Math.max(peak, ++inFlight)
      return () => {
        samples++
        inside += loop.now() - now
        loop.afterTurn(() => inFlight--)
      }
    },
  }
}
