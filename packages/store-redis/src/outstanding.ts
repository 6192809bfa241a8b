/** The calls that went out in one stretch of time, and are not answered yet. */
export interface Flight {
  calls: number
  load: number
}

// A call that is out for twice as long counts no more: it may never come back.
const STRETCH_MS = 500

/** The calls that are out, and the work that they hold. */
export class Outstanding {
  #present: Flight = { calls: 0, load: 0 }
  #past: Flight = { calls: 0, load: 0 }
  #since = 0

  get calls(): number {
    return this.#present.calls + this.#past.calls
  }

  get load(): number {
    return this.#present.load + this.#past.load
  }

  /** Counts a call in. */
  sent(load: number, now: number): Flight {
    const age = now - this.#since
    if (age >= STRETCH_MS) {
      this.#past = age < 2 * STRETCH_MS ? this.#present : { calls: 0, load: 0 }
      this.#present = { calls: 0, load: 0 }
      this.#since = now
    }
    const flight = this.#present
    flight.calls++
    flight.load += load
    return flight
  }

  /** Counts a call out. */
  settled(flight: Flight, load: number): void {
    flight.calls--
    flight.load -= load
  }
}
