import type { Check } from '../check/check.ts'
import type { Line, LineParts } from './line.ts'
import { AT_ONCE, type Owed, type Standing, type TakenPlace } from './standing.ts'

/** The store, as kept places need it. */
interface KeptPlacesStore extends Pick<LineParts, 'leave'> {
  /** Asks for news of the lines of a check. */
  look(check: Check): void
}

/**
 * Places whose callers have left, and which the store keeps until their turn, because the line has no room for another hole. They go
 * earlier with neighbours that leave.
 */
export class KeptPlaces implements Standing {
  readonly seq = -1
  readonly deadline: number = Number.POSITIVE_INFINITY
  readonly check: Check
  readonly units: readonly number[]
  readonly kept: readonly TakenPlace[]
  places: TakenPlace['places'] | undefined
  owes: Owed = AT_ONCE
  readonly #store: KeptPlacesStore
  readonly #line: Line

  /** @param kept the places, which follow each other */
  constructor(store: KeptPlacesStore, line: Line, kept: readonly TakenPlace[]) {
    const { check, places } = kept.at(-1)!
    this.#store = store
    this.#line = line
    this.kept = kept
    this.check = check
    this.units = line.fronts.map((_, i) => kept.reduce((sum, { units }) => sum + units[i]!, 0))
    // Their turn has come when the front reaches their first unit.
    this.places = places.map((place, i) => place && { ...place, position: place.position - this.units[i]! })
  }

  start(): void {
    void this.#store.leave(this.#line, this.kept)
  }

  expire(): void {}

  gone(): undefined {
    return undefined
  }

  look(): void {
    this.#store.look(this.check)
  }
}
