import { percentile } from './percentile.ts'

const BEAT_MS = 10
// The time of a deadline (100 ms) and of the decision after it.
const DEADLINE_MS = 130

/** The delays of a timer, in milliseconds. */
export interface Lateness {
  /** The largest total delay within the time of a deadline. */
  readonly most: number
  /** The 99th percentile of the delay of one beat. */
  readonly p99: number
  /** The largest total delay within a given time. */
  within(ms: number): number
}

/** A bare timer that measures its own delay: what the machine, not Halt, adds to every wait. */
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

  /** Stops the timer and returns its delays. */
  stop(): Lateness {
    clearInterval(this.#timer)
    const late = this.#late
    const within = (ms: number): number => {
      // A wait begins between two beats, so it meets one beat more than fit into its length.
      const beats = Math.ceil(ms / BEAT_MS) + 1
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
