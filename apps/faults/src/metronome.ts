import { percentile } from './percentile.ts'

const BEAT_MS = 10
// As long as a deadline of 100 ms and what follows it.
const BEATS = 13

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

  /**
   * Ends it; gives how late it was, milliseconds: in all while a deadline could pass, at most; and a beat at the 99th percentile.
   */
  stop(): { readonly most: number; readonly p99: number } {
    clearInterval(this.#timer)
    const late = this.#late
    let [sum, most] = [0, 0]
    for (let i = 0; i < late.length; i++) {
      sum += (late[i] as number) - (late[i - BEATS] ?? 0)
      most = Math.max(most, sum)
    }
    return { most, p99: percentile(late, 0.99) ?? 0 }
  }
}
