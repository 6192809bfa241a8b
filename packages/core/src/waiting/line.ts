import type { Place } from '../algorithms/index.ts'
import type { Alarm, Alarms } from '../base/alarms.ts'
import type { Front } from './front.ts'
import { neighbours } from './neighbours.ts'
import { OwnAlarms } from './own-alarms.ts'
import { type Asking, AT_ONCE, type Owed, type Pending, type Standing, type TakenPlace } from './standing.ts'

/** How long a line waits for news of the store before it asks for some. Microseconds. */
const LOOK = 1e6
/** How long a caller that is due waits for the answer about another one in front of it, before it looks again. Microseconds. */
const BEAT = 50_000

/** The store, as a line needs it. */
export interface LineParts {
  readonly alarms: Alarms
  /** The time in microseconds, by this process's clock. */
  clock(): number
  /**
   * Asks the store for places at the end of the line, for callers that have none. Calls {@link Line.placed}.
   *
   * @param started units that started in front of them without the store's knowledge, for each counter
   */
  place(line: Line, callers: readonly Standing[], started: readonly number[]): void
  /** Gives back places that follow each other. Resolves when the store has answered. */
  leave(line: Line, run: readonly TakenPlace[]): Promise<void>
  /** What a caller owes that has lost its place, while the store gives it no other one. */
  owedBy(caller: Standing): Owed
  /** Called when nobody waits in the line any more. */
  emptied(line: Line): void
}

/** The callers of this process that wait for one set of counters, in the order of their positions. */
export class Line implements Alarm {
  due = 0
  /** Names the counters. */
  readonly key: string
  /** The fronts of the counters that are waited for in line. */
  readonly fronts: readonly Front[]
  readonly #parts: LineParts
  readonly #own: OwnAlarms
  #callers: Standing[] = []
  // The callers that the store is being asked about, in order. Nobody behind them starts before the answer.
  readonly #asked = new Set<Pending>()
  readonly #askers: Asking[] = []
  readonly #leaving = new Set<Standing>()
  // Whether a caller may stand here that has no place.
  #misses = false
  // Callers that places are being asked for.
  readonly #unplaced = new Set<Standing>()
  #flushing: Promise<void> | undefined
  #isSet = false
  #ringsAt = Number.POSITIVE_INFINITY
  #looksAt = Number.POSITIVE_INFINITY
  #expiresAt = Number.POSITIVE_INFINITY
  // The number of callers that have started.
  #started = 0
  // The last start, and what it owes if the caller had no place.
  #lastStart = 0
  #lastOwed: Pick<Standing, 'units' | 'owes'> = { units: [], owes: AT_ONCE }

  constructor(key: string, fronts: readonly Front[], parts: LineParts) {
    this.key = key
    this.fronts = fronts
    this.#parts = parts
    this.#own = new OwnAlarms(parts.alarms, {
      nextFor: caller => this.#nextFor(caller),
      clock: () => parts.clock(),
      ring: () => this.ring(),
    })
  }

  get isEmpty(): boolean {
    return (
      this.#callers.length === 0 &&
      this.#askers.length === 0 &&
      this.#asked.size === 0 &&
      this.#flushing === undefined
    )
  }

  /** Whether a caller that is admitted now must wait for others of this process. */
  isBehindOthers({ seq }: Pick<Standing, 'seq'>): boolean {
    return this.#callers.length > 0 || this.#firstAsked < seq
  }

  /** The number of callers that stand in the line. */
  get length(): number {
    return this.#callers.length
  }

  /** The first place that a caller has in the line of a front. */
  first(front: Front): Place | undefined {
    const i = this.fronts.indexOf(front)
    for (const { places } of this.#callers) if (places?.[i] !== undefined) return places[i]
    return undefined
  }

  /** Notes that the store is asked about a caller. */
  asks(caller: Pending): void {
    this.#asked.add(caller)
  }

  /** Notes that the store has answered about a caller. */
  answered(caller: Pending): void {
    if (!this.#asked.delete(caller)) return
    if (this.#callers.length > 0) this.startDue()
    else if (this.isEmpty) this.#parts.emptied(this)
  }

  /** Adds a caller behind those that asked before it. */
  stand(caller: Standing): void {
    let at = this.#callers.length
    // Replies may arrive in another order than the questions were asked.
    while (at > 0 && this.#callers[at - 1]!.seq > caller.seq) at--
    this.#callers.splice(at, 0, caller)
    if (caller.places === undefined) this.#misses = true
    // This process may know more than the store did when it told the start.
    if (caller.places === undefined || this.startOf(caller) > caller.deadline)
      this.#expiresAt = Number.NEGATIVE_INFINITY
    if (this.#callers.length === 1) this.#looksAt = this.#parts.clock() + LOOK
    const before = this.#started
    this.startDue()
    if (this.#started - before <= at) this.#own.watch(caller)
  }

  /** Lets a caller leave. Callers that leave in the same turn of the event loop do so together. Resolves when the store has answered. */
  leave(caller: Standing): Promise<void> {
    this.#leaving.add(caller)
    return (this.#flushing ??= Promise.resolve().then(async () => this.#flush()))
  }

  async #flush(): Promise<void> {
    const gone = this.#callers.filter(caller => this.#leaving.has(caller))
    this.#callers = this.#callers.filter(caller => !this.#leaving.has(caller))
    this.#leaving.clear()
    const done: Promise<void>[] = []
    for (const caller of gone) {
      this.#unplaced.delete(caller)
      this.#own.forget(caller)
      const returned = caller.gone()
      if (returned !== undefined) done.push(returned)
    }
    const taken = gone.filter(isPlaced)
    // From the end, because a place at the end is given back at once.
    for (const run of neighbours(taken).toReversed()) done.push(this.#parts.leave(this, run))
    this.#flushing = undefined
    this.startDue()
    await Promise.all(done)
  }

  /** Hears news of a front: callers whose places are lost get new ones. @param isSlower whether callers may start later than told */
  heard(isSlower: boolean): void {
    if (this.#callers.length === 0) return
    this.#looksAt = this.#parts.clock() + LOOK
    if (isSlower) this.#expiresAt = Number.NEGATIVE_INFINITY
    this.#replaceLost()
    this.startDue()
  }

  /** Asks for new places for the callers whose places the store has forgotten. */
  #replaceLost(): void {
    const hasLost = ({ places }: Standing): boolean =>
      places?.some((place, i) => place !== undefined && this.fronts[i]!.hasLost(place)) === true
    // The first has the oldest line, the last the highest position.
    if (!hasLost(this.#callers[0]!) && !hasLost(this.#callers.at(-1)!)) return
    this.#lose(this.#callers.filter(hasLost))
  }

  /** Asks the store for the places of callers that have none, in one call. */
  placeMissing(): void {
    if (!this.#misses) return
    const isMissing = (caller: Standing): boolean =>
      caller.places === undefined && caller.owes !== AT_ONCE && !this.#unplaced.has(caller)
    const missing = this.#callers.filter(isMissing)
    if (missing.length > 0) this.#placeAll(missing)
    else this.#misses = this.#unplaced.size > 0
  }

  #placeAll(callers: readonly Standing[]): void {
    for (const caller of callers) this.#unplaced.add(caller)
    const { units, owes } = this.#lastOwed
    // The store knows nothing of a caller that has just started without a place.
    const isOwed = this.#parts.clock() < this.#lastStart + owes.time
    this.#parts.place(this, callers, isOwed ? units : [])
  }

  /**
   * Hears of the places that callers got in one block. The places of those that have left or started meanwhile are given back.
   *
   * @param ends the end of the block in the line of each counter, undefined for a counter that makes nobody wait. Undefined as a
   * whole if the store did not answer.
   */
  placed(callers: readonly Standing[], ends: readonly (Place | undefined)[] | undefined): void {
    const behind = ends?.map(end => end?.position ?? 0) ?? []
    const gone: TakenPlace[] = []
    const placed = new Set<Standing>()
    for (const caller of callers.toReversed()) {
      const isWaiting = this.#unplaced.delete(caller)
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
    for (const run of neighbours(gone.toReversed()).toReversed()) void this.#parts.leave(this, run)
    if (placed.size > 0) this.#moveBack(callers.filter(caller => placed.has(caller)))
    this.startDue()
  }

  /**
   * Lets callers that asked after others, but have places in front of theirs, stand behind them. They got these places while the store
   * was asked about the others.
   */
  #moveBack(placed: readonly Standing[]): void {
    // They may start later than they were told.
    this.#expiresAt = Number.NEGATIVE_INFINITY
    const { seq } = placed[0]!
    const newer = this.#callers.filter(
      caller => caller.seq > seq && isPlaced(caller) && !placed.includes(caller),
    )
    const ahead = (newer as TakenPlace[]).filter(({ places }) => isAhead(places, placed[0]!.places!))
    if (ahead.length === 0) return
    for (const run of neighbours(ahead.map(copyOf)).toReversed()) void this.#parts.leave(this, run)
    const callers = ahead as unknown as Standing[]
    this.#lose(callers)
  }

  /** Asks for new places for callers that have none any more. */
  #lose(callers: readonly Standing[]): void {
    for (const caller of callers) {
      caller.owes = this.#parts.owedBy(caller)
      caller.places = undefined
    }
    this.#misses = true
    this.#expiresAt = Number.NEGATIVE_INFINITY
    this.#placeAll(callers)
  }

  /** Puts a place back that the store could not take back now. Its units leave when its turn has come. */
  keepUntilTurn(ghost: Standing): void {
    const [position] = positionsOf(ghost)
    let at = 0
    while (at < this.#callers.length && (positionsOf(this.#callers[at]!)[0] ?? Infinity) < position!) at++
    this.#callers.splice(at, 0, ghost)
    this.startDue()
  }

  /** Starts the callers whose turn has come, in order. */
  startDue(): void {
    const now = this.#parts.clock()
    for (let head = this.#callers[0]; head !== undefined; head = this.#callers[0]) {
      if (this.#firstAsked < head.seq || this.#leaving.has(head) || this.startOf(head) > now) break
      this.#callers.shift()
      this.#started++
      this.#own.forget(head)
      this.#unplaced.delete(head)
      this.#lastStart = now
      this.#lastOwed = head.places === undefined ? head : { units: [], owes: AT_ONCE }
      head.start()
    }
    this.#expire(now)
    this.#arm(now)
  }

  /** Microseconds until something happens. */
  left(): number {
    return this.#ringsAt - this.#parts.clock()
  }

  ring(): void {
    if (this.#isSet) this.#parts.alarms.forget(this)
    this.#isSet = false
    const now = this.#parts.clock()
    if (this.#callers[0]?.places !== undefined)
      for (const front of this.fronts) front.stalled(now - this.#ringsAt, now)
    if (now >= this.#looksAt && this.#callers.length > 0) {
      this.#looksAt = now + LOOK
      this.placeMissing()
      this.#callers[0]?.look()
    }
    this.startDue()
  }

  get #firstAsked(): number {
    for (const caller of this.#asked) {
      if (!caller.isLost) return caller.seq
      this.#asked.delete(caller)
      caller.drop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** The instant from which a caller may start, as this process knows it. Microseconds of its clock. */
  startOf(caller: Standing): number {
    const { places, owes } = caller
    let { start } = owes
    if (places === undefined) {
      for (const front of this.fronts) start = Math.max(start, front.frozenUntil)
      return Math.max(start, this.#lastStart + owes.time)
    }
    for (const [i, place] of places.entries())
      if (place !== undefined) start = Math.max(start, this.fronts[i]!.startOf(place))
    return start
  }

  /** The next instant at which something may happen to a caller. */
  #nextFor(caller: Standing): number {
    const now = this.#parts.clock()
    const start = this.startOf(caller)
    // A caller that is due waits for an answer about another one.
    const next = start > now ? start : now + BEAT
    return Math.min(next, now + LOOK, Math.max(caller.deadline, now + 1000))
  }

  /** Sends callers away whose patience has ended. It can end only where callers start later than they were told. */
  #expire(now: number): void {
    if (this.#expiresAt > now) return
    const expired = this.#callers.filter(({ deadline }) => deadline <= now)
    for (const caller of expired) {
      void this.leave(caller)
      caller.expire()
    }
    this.#expiresAt = this.#callers.reduce(
      (first, { deadline }) => (deadline > now ? Math.min(first, deadline) : first),
      Number.POSITIVE_INFINITY,
    )
  }

  #arm(now: number): void {
    const [head] = this.#callers
    const start = head === undefined || this.#firstAsked < head.seq ? Infinity : this.startOf(head)
    const next =
      head === undefined ? Infinity : Math.min(start, this.#looksAt, Math.max(this.#expiresAt, now + 1000))
    const { alarms } = this.#parts
    if (this.#isSet && next === this.#ringsAt && alarms.isShared) return
    if (this.#isSet) alarms.forget(this)
    // Otherwise each caller has an alarm of its own.
    this.#isSet = next < Infinity && alarms.isShared
    this.#ringsAt = next
    if (this.#isSet) alarms.set(this)
    if (this.isEmpty) this.#parts.emptied(this)
  }

  /** The caller that asks the store next. */
  get asker(): Asking | undefined {
    while (this.#askers[0]?.isLost === true) this.#askers.shift()!.drop()
    return this.#askers[0]
  }

  /** Adds a caller that asks again later, in front of those that came after it, unless it is there already. */
  join(caller: Asking): void {
    if (this.#askers.includes(caller)) return
    let at = this.#askers.length
    while (at > 0 && this.#askers[at - 1]!.seq > caller.seq) at--
    this.#askers.splice(at, 0, caller)
  }

  /** Removes a caller that asks. The next one asks at once. */
  part(caller: Asking): void {
    const at = this.#askers.indexOf(caller)
    if (at < 0) return
    this.#askers.splice(at, 1)
    if (at === 0) this.asker?.wake()
    if (this.isEmpty) this.#parts.emptied(this)
  }
}

function isPlaced(caller: Standing): caller is Standing & TakenPlace {
  return caller.places !== undefined
}

function copyOf({ check, units, places }: TakenPlace): TakenPlace {
  return { check, units, places }
}

function isAhead(places: TakenPlace['places'], of: TakenPlace['places']): boolean {
  return places.some((place, i) => place !== undefined && place.position < (of[i]?.position ?? 0))
}

function positionsOf({ places }: Standing): number[] {
  return places?.flatMap(place => place?.position ?? []) ?? []
}
