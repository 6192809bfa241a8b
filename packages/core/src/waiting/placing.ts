import { isInLine, NOBODY_AHEAD, type Place } from '../algorithms/index.ts'
import { AT_ONCE, type InLine, type Owed } from './callers.ts'
import type { Front } from './front.ts'
import type { TakenPlace } from './places.ts'

/** The store, as callers without a place need it. */
export interface PlacingStore {
  /**
   * Asks for places at the end of the line, for callers that have none.
   *
   * @param started units that started in front of them without the store's knowledge
   * @param then called with the end of their block; undefined if the store did not answer. Called again for a reply that comes too
   *   late.
   */
  place(callers: readonly InLine[], started: number, then: (end: Place | undefined) => void): void
  /**
   * Says when a caller may start whose place the store has lost, if the store gives it no other place until then.
   *
   * @param before the same of the caller in front of it, if the store has lost that place, too
   */
  owedBy(caller: InLine, before: Owed | undefined): Owed
}

/** The line, as it is needed to give its callers places. */
export interface PlacingLine {
  readonly front: Front
  callers(): readonly InLine[]
  /** The units that have just started without the store's knowledge. */
  onlyHere(): number
  /** Gives back places, which are in the order of their positions. */
  giveBack(places: readonly TakenPlace[]): void
  /** Called when callers may start later than they were told. */
  slowed(): void
  /** Called when callers may start. */
  changed(): void
}

/** Gets places for the callers of a line that have none: they need one, came while nobody knew one, or the store has lost theirs. */
export class Placing {
  readonly #line: PlacingLine
  readonly #store: PlacingStore
  // Whether a caller may stand in the line that has no place.
  #misses = false
  // The callers that places are being asked for.
  readonly #asked = new Set<InLine>()

  constructor(line: PlacingLine, store: PlacingStore) {
    this.#line = line
    this.#store = store
  }

  /** Notes that a caller without a place stands in the line. */
  misses(): void {
    this.#misses = true
  }

  /** Forgets a caller that has started or left. A place that it gets now is given back. */
  forget(caller: InLine): void {
    this.#asked.delete(caller)
  }

  /** Asks for new places for the callers whose places the store has forgotten. */
  replaceLost(): void {
    const { front } = this.#line
    const callers = this.#line.callers()
    const isLost = ({ place }: InLine): boolean => place !== undefined && front.hasLost(place)
    // The first has the oldest line, the last the highest position.
    const isOver = front.isOver && callers.some(({ place }) => isInLine(place))
    if (!isOver && !isLost(callers[0]!) && !isLost(callers.at(-1)!)) return
    const lost = callers.filter(isLost)
    // The turn of the others has come.
    if (isOver)
      for (const caller of callers)
        if (caller.place !== undefined && !isLost(caller)) caller.place = NOBODY_AHEAD
    this.#lose(lost)
  }

  /** Asks for places for the callers that have none, in one call of the store. */
  placeMissing(): void {
    if (!this.#misses) return
    const missing = this.#line
      .callers()
      .filter(caller => caller.place === undefined && caller.owes !== AT_ONCE && !caller.isJoining)
      .filter(caller => !this.#asked.has(caller))
    if (missing.length > 0) this.#ask(missing)
    else this.#misses = this.#asked.size > 0
  }

  #ask(callers: readonly InLine[]): void {
    for (const caller of callers) this.#asked.add(caller)
    this.#store.place(callers, this.#line.onlyHere(), end => this.#placed(callers, end))
  }

  /**
   * Gives callers the places of a block, which ends there. A caller that was asked for again, because the reply came late, takes the first
   * place that it gets. Places that nobody needs any more are given back.
   */
  #placed(callers: readonly InLine[], end: Place | undefined): void {
    let behind = end?.position ?? 0
    const gone: TakenPlace[] = []
    const placed = new Set<InLine>()
    for (const caller of callers.toReversed()) {
      const isWaiting = this.#asked.delete(caller)
      if (end === undefined) continue
      const place = end === NOBODY_AHEAD ? end : { born: end.born, position: behind }
      behind -= caller.demand.cost
      if (isWaiting) {
        caller.place = place
        caller.owes = AT_ONCE
        placed.add(caller)
      } else gone.push({ check: caller.check, at: caller.at, place })
    }
    this.#line.giveBack(gone.toReversed())
    if (placed.size > 0) this.#moveBack(callers.filter(caller => placed.has(caller)))
    this.#line.changed()
  }

  /**
   * Lets callers that came after others, but have places in front of theirs, stand behind them. They got these places while the store
   * was asked about the others.
   */
  #moveBack(placed: readonly InLine[]): void {
    this.#line.slowed()
    const { seq, place: first } = placed[0]!
    const ahead = this.#line
      .callers()
      .filter((caller): caller is InLine & TakenPlace => caller.seq > seq && isAhead(caller, first!))
    if (ahead.length === 0) return
    this.#line.giveBack(ahead.map(({ check, at, place }) => ({ check, at, place })))
    this.#lose(ahead)
  }

  /** Asks for new places for callers that have none any more. */
  #lose(callers: readonly InLine[]): void {
    if (callers.length === 0) return
    let owed: Owed | undefined
    for (const caller of callers) {
      caller.owes = owed = this.#store.owedBy(caller, owed)
      caller.place = undefined
    }
    this.#misses = true
    this.#line.slowed()
    this.#ask(callers)
  }
}

function isAhead({ place }: InLine, of: Place): boolean {
  return place !== undefined && place.position < of.position
}
