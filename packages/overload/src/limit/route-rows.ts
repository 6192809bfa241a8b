/** What stands in a row. By its use the table decides which row to drop. */
export interface Usage {
  readonly inFlight: number
  /** Whether it knows how long some request takes. */
  readonly governor: { readonly hasLearned: boolean }
}

interface Row<T> {
  readonly item: T
  /** When it was last asked for, in milliseconds of the turn clock. */
  askedAt: number
}

/** The most routes that are told apart. All others share one row. */
const MOST = 128
const OTHERS = 'other'
// A route that nobody has asked for so long gives its row to another one.
const STALE_MS = 60_000

/** One thing for each route, for a bounded number of routes. */
export class RouteRows<T extends Usage> {
  readonly #rows = new Map<string, Row<T>>()
  readonly #make: (route: string) => T
  readonly #forgotten: (item: T) => void

  /** @param forgotten called with what gives its row to another route */
  constructor(make: (route: string) => T, forgotten: (item: T) => void) {
    this.#make = make
    this.#forgotten = forgotten
  }

  /** The thing of a route. */
  of(route: string, now: number): T {
    const row = this.#rows.get(route) ?? this.#add(route, now)
    row.askedAt = now
    return row.item
  }

  all(): readonly T[] {
    return Array.from(this.#rows.values(), ({ item }) => item)
  }

  #add(route: string, now: number): Row<T> {
    if (this.#rows.size >= MOST && route !== OTHERS && !this.#makesRoom(now))
      return this.#rows.get(OTHERS) ?? this.#add(OTHERS, now)
    const row = { item: this.#make(route), askedAt: now }
    this.#rows.set(route, row)
    return row
  }

  /** Forgets a row that is of no use. False if there is none. */
  #makesRoom(now: number): boolean {
    for (const [route, { item, askedAt }] of this.#rows) {
      const { inFlight, governor } = item
      // Paths that no handler knows have learned nothing. So nobody can fill the rows with invented ones.
      if (inFlight > 0 || (governor.hasLearned && now - askedAt <= STALE_MS)) continue
      this.#rows.delete(route)
      this.#forgotten(item)
      return true
    }
    return false
  }
}
