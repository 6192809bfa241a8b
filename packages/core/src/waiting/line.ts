/** A start that the store gave. It is due when its time has come, whoever takes it. */
export interface Place {
  /** Microseconds until the start, by the clock of the store that gave it. */
  left(): number
  /** For each counter, the instant at which it was to be paid back. Names the place in the store. */
  readonly tails: readonly number[]
  /** Whether the start has come. */
  readonly isDue: boolean
}

/** A caller that waits for a start. It comes with a place of its own, and may move up to the place of another one. */
export interface Standing extends Place {
  /** Sets its own start: microseconds from now. */
  move(left: number): void
  /** The units of the place, per counter. Only places of the same units can be exchanged. */
  units(): string
  /** Starts the caller at the start of a place. */
  start(place: Place): void
}

/** A caller that asks the store again until it is admitted. */
export interface Asking {
  /** Lets the caller ask at once. */
  wake(): void
}

/** The callers of this process that wait for one set of counters, in the order in which they asked. */
export class Line {
  /** Names the counters. */
  readonly key: string
  // The callers, and the starts, in order: the first caller takes the first start.
  readonly #callers: Standing[] = []
  readonly #places: Place[] = []
  readonly #askers: Asking[] = []
  // The units of the first caller that stood in the line. Undefined if others want other units.
  #units: string | undefined

  constructor(key: string) {
    this.key = key
  }

  get isEmpty(): boolean {
    return this.#places.length === 0 && this.#askers.length === 0
  }

  /** Whether somebody waits for a start. */
  get hasPlaces(): boolean {
    return this.#places.length > 0
  }

  /** Adds a caller that was given a start. It starts after those in front of it, even if another store gave it an earlier start. */
  stand(caller: Standing): void {
    const last = this.#places.at(-1)
    const units = caller.units()
    if (last === undefined) this.#units = units
    else if (units !== this.#units) this.#units = undefined
    const left = last?.left()
    if (left !== undefined && left > caller.left()) caller.move(left)
    this.#callers.push(caller)
    this.#places.push(caller)
  }

  /** Starts the callers whose places are due, each after those in front of it: their clocks may differ by a little. */
  startDue(): void {
    while (this.#places[0]?.isDue === true) {
      const place = this.#places.shift()!
      this.#callers.shift()?.start(place)
    }
  }

  /**
   * Removes a caller. Those behind it move up by one, so that the last place is free; places of other units cannot be exchanged, so
   * the caller's own place is free then. Returns the free place, or undefined if the caller does not stand in the line.
   */
  giveUp(caller: Standing): Place | undefined {
    const at = this.#callers.indexOf(caller)
    if (at < 0) return undefined
    this.#callers.splice(at, 1)
    const free = this.#moveUp(caller, at) ? this.#places.pop() : this.#places.splice(at, 1)[0]
    this.startDue()
    return free
  }

  /** Whether a place is still to be taken. */
  has(place: Place): boolean {
    return this.#places.includes(place)
  }

  /** Puts a place where another one was. */
  replace(old: Place, place: Place): void {
    this.#places[this.#places.indexOf(old)] = place
  }

  /** Whether the callers from an index on can move up, after the given one has left. */
  #moveUp(left: Standing, from: number): boolean {
    if (this.#units !== undefined) return true
    const units = left.units()
    return this.#callers.slice(from).every(other => other.units() === units)
  }

  /** The caller that asks the store next. */
  get head(): Asking | undefined {
    return this.#askers[0]
  }

  /** Adds a caller that asks again later, unless it stands in the line already. */
  join(caller: Asking): void {
    if (!this.#askers.includes(caller)) this.#askers.push(caller)
  }

  /** Removes a caller that asks. The next one asks at once. */
  leave(caller: Asking): void {
    const at = this.#askers.indexOf(caller)
    if (at < 0) return
    this.#askers.splice(at, 1)
    if (at === 0) this.head?.wake()
  }
}
