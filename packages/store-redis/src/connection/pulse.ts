import { afterFreeTime } from '@halt/core/store'

/** Milliseconds between two looks at what is unanswered. */
export const BEAT_MS = 250
const MOST = 40

/** The calls that were sent between two beats. */
export interface Beat {
  /** How many are not answered yet. */
  open: number
  /** How many of all calls had been answered when it began. */
  readonly answered: number
}

/**
 * Notices calls that are not answered: no client does, and a server that hangs or has vanished would be waited for without
 * end. It costs two additions a call; its timer runs only while calls are out.
 */
export class Pulse {
  readonly #patience: number
  readonly #unanswered: (silent: boolean) => void
  #answered = 0
  #beats: Beat[] = []
  #ticking = false
  #current: Beat = { open: 0, answered: 0 }

  /**
   * @param patience beats, after which a call counts as unanswered
   * @param unanswered is told then, at each beat, whether nothing at all was answered for as long
   */
  constructor(patience: number, unanswered: (silent: boolean) => void) {
    this.#patience = patience
    this.#unanswered = unanswered
  }

  /** Counts a call in. */
  sent(): Beat {
    const beat = this.#current
    beat.open++
    if (!this.#ticking) this.#start()
    return beat
  }

  /** Counts a call out, whether it was answered well or not. */
  settled(beat: Beat): void {
    beat.open--
    this.#answered++
  }

  #start(): void {
    this.#ticking = true
    this.#beats = [this.#current]
    this.#next()
  }

  // What arrived while the process was busy is read before it is missed.
  #next(): void {
    afterFreeTime(BEAT_MS, () => this.#tick(), true)
  }

  #tick(): void {
    const beats = this.#beats
    this.#current = { open: 0, answered: this.#answered }
    beats.push(this.#current)
    while (beats.length > 1 && beats[0]?.open === 0) beats.shift()
    // What outlasts every cull is the client's own fault, and forgotten.
    if (beats.length > MOST) beats.shift()
    this.#ticking = beats.length > 1
    if (!this.#ticking) return
    this.#next()
    const then = beats[beats.length - 1 - this.#patience]
    if (then !== undefined) this.#unanswered(then.answered === this.#answered)
  }
}
