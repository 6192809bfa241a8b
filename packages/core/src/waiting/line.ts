/** A caller that was given a start, and waits for it. */
export interface Placed {
  /** Microseconds until the start, by the clock of the store that gave it. */
  left(): number
  /** Sets the start: microseconds from now. */
  move(left: number): void
  /** The units of the place, per counter. Only places of the same units can be exchanged. */
  units(): string
  /** For each counter, the instant at which it was to be paid back. Names the place in the store. */
  tails: readonly number[]
  /** Whether the start has come. */
  isDue: boolean
  start(): void
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
  readonly #places: Placed[] = []
  readonly #askers: Asking[] = []

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
  stand(caller: Placed): void {
    const last = this.#places.at(-1)
    if (last !== undefined && last.left() > caller.left()) caller.move(last.left())
    this.#places.push(caller)
  }

  /** Starts the callers that are due, each after those in front of it: their clocks may differ by a little. */
  startDue(): void {
    while (this.#places[0]?.isDue === true) this.#places.shift()?.start()
  }

  /**
   * Gives a place up. The callers behind it move up by one, so that the last place is free. Returns the instants that name that
   * place, and the callers that moved.
   */
  giveUp(caller: Placed): { readonly tails: readonly number[]; readonly moved: readonly Placed[] } {
    const at = this.#places.indexOf(caller)
    if (at < 0) return { tails: caller.tails, moved: [] }
    const behind = this.#places.slice(at + 1)
    const moved = behind.every(other => other.units() === caller.units()) ? behind : []
    let { tails } = caller
    let left = caller.left()
    for (const other of moved) {
      const [ownTails, ownLeft] = [other.tails, other.left()]
      other.move(left)
      other.tails = tails
      tails = ownTails
      left = ownLeft
    }
    this.#places.splice(at, 1)
    this.startDue()
    return { tails, moved }
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
