import { percentile } from './percentile.ts'

const BEAT_MS = 10
// A deadline of 100 ms and what follows it.
const DEADLINE_MS = 130

/** How late a timer was, milliseconds. */
export interface Lateness {
  /** In all while a deadline passes, at most. */
  readonly most: number
  /** A beat at the 99th percentile. */
  readonly p99: number
  /** In all within some milliseconds, at most. */
  within(ms: number): number
}

/** A timer that does nothing but tell how late it was: what the machine, not Halt, adds to every wait. */
export class Metronome {
  readonly #late: number[] = []
  readonly #timer: NodeJS.Timeout
  #last = performance.now()

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#late.push(Math.max(0, now - this.#last - BEAT_MS))
      this.#last = now
    }, BEAT_MS)
  }

  /** Ends it; gives how late it was. */
  stop(): Lateness {
    clearInterval(this.#timer)
    const late = this.#late
    const within = (ms: number): number => {
      const beats = Math.ceil(ms / BEAT_MS)
      let [sum, most] = [0, 0]
      for (const [i, beat] of late.entries()) {
        sum += beat - (late[i - beats] ?? 0)
        most = Math.max(most, sum)
      }
      return most
    }
    return { most: within(DEADLINE_MS), p99: percentile(late, 0.99) ?? 0, within }
  }
}
