import type { Alarms } from '../base/alarms.ts'

/** A place in a line: when its caller may start. */
export interface Place {
  /** Microseconds until the start, by the clock of the store that gave the place. */
  left(): number
  /** Moves the start. */
  moveBy(micros: number): void
  /** The units of the place, per counter. Only places of the same units can be exchanged. */
  readonly units: string
  /** For each counter, the instant at which it was to be paid back. Names the place in the store. */
  tails: readonly number[]
}

/** The callers of this process that wait for one set of counters, in the order in which they asked. */
export class Line {
  readonly #alarms: Alarms
  readonly #places: PlaceTaken[] = []
  readonly #askers: Asker[] = []

  constructor(alarms: Alarms) {
    this.#alarms = alarms
  }

  get isEmpty(): boolean {
    return this.#places.length === 0 && this.#askers.length === 0
  }

  /** Whether somebody waits for the start of a place. */
  get hasPlaces(): boolean {
    return this.#places.length > 0
  }

  /** Waits for the start of a place. Callers start in the order of their places. Never settles if the place is given up. */
  async take(place: Place): Promise<void> {
    // A place that another store gave, as in an outage, must not overtake.
    const last = this.#places.at(-1)
    if (last !== undefined) place.moveBy(Math.max(0, last.place.left() - place.left()))
    await new Promise<void>(start => {
      const taken: PlaceTaken = { place, start, forget: nothing, isDue: false }
      this.#places.push(taken)
      this.#await(taken)
    })
  }

  /**
   * Gives a place up. The places behind it move up by one, so that the last one is free. Returns the instants that name the place
   * that became free.
   */
  giveUp(place: Place): readonly number[] {
    const at = this.#places.findIndex(taken => taken.place === place)
    if (at < 0) return place.tails
    const behind = this.#places.slice(at + 1)
    const movers = behind.every(taken => taken.place.units === place.units) ? behind : []
    let { tails } = place
    let left = place.left()
    for (const taken of movers) {
      const [ownTails, ownLeft] = [taken.place.tails, taken.place.left()]
      taken.place.moveBy(left - ownLeft)
      taken.place.tails = tails
      tails = ownTails
      left = ownLeft
      taken.forget()
      if (!taken.isDue) this.#await(taken)
    }
    this.#places.splice(at, 1)[0]?.forget()
    this.#startDue()
    return tails
  }

  #await(taken: PlaceTaken): void {
    taken.forget = this.#alarms.set(
      () => taken.place.left(),
      () => {
        taken.forget = nothing
        taken.isDue = true
        this.#startDue()
      },
    )
  }

  /** Starts the callers that are due, each after those in front of it: their clocks may differ by a little. */
  #startDue(): void {
    while (this.#places[0]?.isDue === true) this.#places.shift()?.start()
  }

  /** The caller that asks the store next. */
  get head(): Asker | undefined {
    return this.#askers[0]
  }

  /** Adds a caller that asks again later, unless it stands in the line already. */
  join(asker: Asker): void {
    if (!this.#askers.includes(asker)) this.#askers.push(asker)
  }

  /** Removes a caller. The next one asks at once. */
  leave(asker: Asker): void {
    const at = this.#askers.indexOf(asker)
    if (at < 0) return
    this.#askers.splice(at, 1)
    if (at === 0) this.head?.wake()
  }
}

/** A caller that asks the store again until it is admitted. */
export interface Asker {
  /** Lets the caller ask at once. */
  wake(): void
}

interface PlaceTaken {
  readonly place: Place
  readonly start: () => void
  forget: () => void
  isDue: boolean
}

function nothing(): void {}
