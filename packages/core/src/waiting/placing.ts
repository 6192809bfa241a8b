import type { Place } from '../algorithms/index.ts'
import type { Front } from './front.ts'
import { AT_ONCE, type Owed, type Standing, type TakenPlace } from './standing.ts'

/** The store, as callers without a place need it. */
export interface PlacingStore {
  /**
   * Asks for places at the end of the line, for callers that have none.
   *
   * @param started units that started in front of them without the store's knowledge, for each counter
   * @param then called with the callers and the end of their block in the line of each counter; undefined for a counter that makes
   *   nobody wait, and as a whole if the store did not answer. Called again for a reply that comes too late: then with copies of
   *   the callers, which wait no longer.
   */
  place(callers: readonly Standing[], started: readonly number[], then: Placed): void
  /** What a caller owes that has lost its place, while the store gives it no other one. */
  owedBy(caller: Standing): Owed
}

/** Hears of the places that callers got in one block. */
export type Placed = (callers: readonly Standing[], ends: readonly (Place | undefined)[] | undefined) => void

/** The line, as it is needed to give its callers places. */
export interface PlacingLine {
  readonly fronts: readonly Front[]
  callers(): readonly Standing[]
  /** The units that have just started without the store's knowledge, for each counter; empty for none. */
  untold(): readonly number[]
  /** Gives back places, which are in the order of their positions. */
  giveBack(places: readonly TakenPlace[]): void
  /** Lets those go who have nothing to give back, and for whom nobody waits. */
  drop(callers: readonly Standing[]): void
  /** Called when callers may start later than they were told. */
  slowed(): void
  /** Called when callers may start. */
  changed(): void
}

/** Gets places for the callers of a line that have none: they came while nobody knew one, or the store has lost theirs. */
export class Placing {
  readonly #line: PlacingLine
  readonly #store: PlacingStore
  // Whether a caller may stand in the line that has no place.
  #misses = false
  // The callers that places are being asked for.
  readonly #asked = new Set<Standing>()

  constructor(line: PlacingLine, store: PlacingStore) {
    this.#line = line
    this.#store = store
  }

  /** Notes that a caller without a place stands in the line. */
  misses(): void {
    this.#misses = true
  }

  /** Forgets a caller that has started or left. A place that it gets now is given back. */
  forget(caller: Standing): void {
    this.#asked.delete(caller)
  }

  /** Asks for new places for the callers whose places the store has forgotten. */
  replaceLost(): void {
    const { fronts } = this.#line
    const callers = this.#line.callers()
    // The first has the oldest line, the last the highest position.
    if (!hasLost(callers[0]!, fronts) && !hasLost(callers.at(-1)!, fronts)) return
    const lost = callers.filter(caller => hasLost(caller, fronts))
    this.#line.drop(lost.filter(({ kept }) => kept !== undefined))
    this.#lose(lost.filter(({ kept }) => kept === undefined))
  }

  /** Asks for places for the callers that have none, in one call of the store. */
  placeMissing(): void {
    if (!this.#misses) return
    const missing = this.#line
      .callers()
      .filter(caller => caller.places === undefined && caller.owes !== AT_ONCE && !this.#asked.has(caller))
    if (missing.length > 0) this.#ask(missing)
    else this.#misses = this.#asked.size > 0
  }

  #ask(callers: readonly Standing[]): void {
    for (const caller of callers) this.#asked.add(caller)
    this.#store.place(callers, this.#line.untold(), (asked, ends) => this.#placed(asked, ends))
  }

  /** The places of callers that have left or started meanwhile are given back. */
  #placed(...[callers, ends]: Parameters<Placed>): void {
    const behind = ends?.map(end => end?.position ?? 0) ?? []
    const gone: TakenPlace[] = []
    const placed = new Set<Standing>()
    for (const caller of callers.toReversed()) {
      const isWaiting = this.#asked.delete(caller)
      if (ends === undefined) continue
      const { check, units } = caller
      const places = ends.map((end, i) => end && { ...end, position: behind[i]! })
      for (const i of behind.keys()) behind[i]! -= units[i]!
      if (isWaiting) {
        caller.places = places
        caller.owes = AT_ONCE
        placed.add(caller)
      } else gone.push({ check, units, places })
    }
    this.#line.giveBack(gone.toReversed())
    if (placed.size > 0) this.#moveBack(callers.filter(caller => placed.has(caller)))
    this.#line.changed()
  }

  /**
   * Lets callers that asked after others, but have places in front of theirs, stand behind them. They got these places while the store
   * was asked about the others.
   */
  #moveBack(placed: readonly Standing[]): void {
    this.#line.slowed()
    const { seq, places: first } = placed[0]!
    const ahead = this.#line
      .callers()
      .filter(caller => caller.seq > seq && !placed.includes(caller))
      .filter((caller): caller is Standing & TakenPlace => isAhead(caller.places, first!))
    if (ahead.length === 0) return
    this.#line.giveBack(ahead.map(({ check, units, places }) => ({ check, units, places })))
    this.#lose(ahead)
  }

  /** Asks for new places for callers that have none any more. */
  #lose(callers: readonly Standing[]): void {
    if (callers.length === 0) return
    for (const caller of callers) {
      caller.owes = this.#store.owedBy(caller)
      caller.places = undefined
    }
    this.#misses = true
    this.#line.slowed()
    this.#ask(callers)
  }
}

/** Whether the store has forgotten the places of a caller. */
export function hasLost({ places }: Standing, fronts: readonly Front[]): boolean {
  return places?.some((place, i) => place !== undefined && fronts[i]!.hasLost(place)) === true
}

function isAhead(places: TakenPlace['places'] | undefined, of: TakenPlace['places']): boolean {
  return places?.some((place, i) => place !== undefined && place.position < (of[i]?.position ?? 0)) === true
}
