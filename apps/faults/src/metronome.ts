import { percentile } from './percentile.ts'

const BEAT_MS = 10

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

  /** Ends it; gives how late it was at most and at the 99th percentile, milliseconds. */
  stop(): { readonly most: number; readonly p99: number } {
    clearInterval(this.#timer)
    return { most: Math.max(0, ...this.#late), p99: percentile(this.#late, 0.99) ?? 0 }
  }
}
