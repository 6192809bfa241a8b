import type { Place } from '../algorithms/index.ts'
import type { Alarm, Alarms } from './alarms.ts'
import { Askers } from './askers.ts'
import type { Front } from './front.ts'
import { neighbours } from './neighbours.ts'
import { OwnAlarms } from './own-alarms.ts'
import { hasLost, Placing, type PlacingStore } from './placing.ts'
import { AT_ONCE, type Pending, type Standing, type TakenPlace } from './standing.ts'

/** How long a line waits for news of the store before it asks for some. Microseconds. */
const LOOK = 1e6
/** How long a caller that is due waits for the answer about another one in front of it, before it looks again. Microseconds. */
const BEAT = 50_000

/** The store, as a line needs it. */
export interface LineParts extends PlacingStore {
  readonly alarms: Alarms
  /** The time in microseconds, by this process's clock. */
  clock(): number
  /** Gives back places that follow each other. Resolves when the store has answered. */
  leave(line: Line, run: readonly TakenPlace[]): Promise<void>
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
  /** The callers that ask again later. */
  readonly askers: Askers
  readonly #parts: LineParts
  readonly #own: OwnAlarms
  readonly #placing: Placing
  #callers: Standing[] = []
  // The callers that the store is being asked about, in order. Nobody behind them starts before the answer.
  readonly #asked = new Set<Pending>()
  readonly #leaving = new Set<Standing>()
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
    this.askers = new Askers(() => this.#forgetEmpty())
    this.#placing = new Placing(
      {
        fronts,
        callers: () => this.#callers,
        untold: () => this.#untold,
        giveBack: places => void this.#giveBack(neighbours(places)),
        drop: callers => this.#drop(new Set(callers)),
        slowed: () => this.#slowed(),
        changed: () => this.startDue(),
      },
      parts,
    )
    this.#own = new OwnAlarms(parts.alarms, {
      nextFor: caller => this.#nextFor(caller),
      clock: () => parts.clock(),
      ring: () => this.ring(),
    })
  }

  get isEmpty(): boolean {
    return (
      this.#callers.length === 0 &&
      this.askers.isEmpty &&
      this.#asked.size === 0 &&
      this.#flushing === undefined
    )
  }

  /** Whether a caller that is admitted now must wait for others of this process. */
  isBehindOthers({ seq }: Pick<Standing, 'seq'>): boolean {
    return this.#callers.length > 0 || this.#firstAsked < seq
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
    else this.#forgetEmpty()
  }

  /** Adds a caller behind those that asked before it. */
  stand(caller: Standing): void {
    let at = this.#callers.length
    // Replies may arrive in another order than the questions were asked.
    while (at > 0 && this.#callers[at - 1]!.seq > caller.seq) at--
    this.#callers.splice(at, 0, caller)
    if (caller.places === undefined) this.#placing.misses()
    // This process may know more than the store did when it told the start.
    if (caller.places === undefined || this.startOf(caller) > caller.deadline) this.#slowed()
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
    const leaving = new Set(this.#leaving)
    this.#leaving.clear()
    const callers = this.#callers
    this.#moveUp(leaving)
    this.#drop(leaving)
    const done: Promise<void>[] = []
    for (const caller of callers) {
      if (!leaving.has(caller)) continue
      this.#placing.forget(caller)
      this.#own.forget(caller)
      const returned = caller.gone()
      if (returned !== undefined) done.push(returned)
    }
    const places = callers.flatMap(
      caller => caller.kept ?? (leaving.has(caller) && isPlaced(caller) ? caller : []),
    )
    done.push(...this.#giveBack(this.#withKept(neighbours(places))))
    this.#flushing = undefined
    this.startDue()
    await Promise.all(done)
  }

  /** The runs of places in which somebody leaves now. Those that the store had kept go with them, and stand here no longer. */
  #withKept(runs: readonly TakenPlace[][]): readonly TakenPlace[][] {
    const kept = new Map(this.#callers.flatMap(caller => caller.kept?.map(place => [place, caller]) ?? []))
    if (kept.size === 0) return runs
    const going = runs.filter(run => run.some(place => !kept.has(place)))
    this.#drop(new Set(going.flat().flatMap(place => kept.get(place) ?? [])))
    return going
  }

  /**
   * Moves callers without a place up by the time of those that leave in front of them. With several counters nobody knows which one they
   * wait for.
   */
  #moveUp(leaving: ReadonlySet<Standing>): void {
    if (this.fronts.length > 1) return
    let freed = 0
    for (const caller of this.#callers) {
      const { places, owes } = caller
      if (places !== undefined || owes === AT_ONCE) continue
      if (leaving.has(caller)) freed += owes.time
      else if (freed > 0) caller.owes = { ...owes, start: owes.start - freed }
    }
  }

  #drop(callers: ReadonlySet<Standing>): void {
    if (callers.size > 0) this.#callers = this.#callers.filter(caller => !callers.has(caller))
  }

  /** Hears news of a front: callers whose places are lost get new ones. @param isSlower whether callers may start later than told */
  heard(isSlower: boolean): void {
    if (this.#callers.length === 0) return
    this.#looksAt = this.#parts.clock() + LOOK
    if (isSlower) this.#slowed()
    this.#placing.replaceLost()
    this.startDue()
  }

  /** Asks the store for the places of callers that have none, in one call. */
  placeMissing(): void {
    this.#placing.placeMissing()
  }

  /** Keeps places that the store could not take back now. Their units leave when their turn has come, or with neighbours. */
  keepUntilTurn(kept: Standing): void {
    // The store may have lost the line meanwhile.
    if (hasLost(kept, this.fronts)) return
    const [position] = positionsOf(kept)
    let at = 0
    while (at < this.#callers.length && (positionsOf(this.#callers[at]!)[0] ?? Infinity) <= position!) at++
    this.#callers.splice(at, 0, kept)
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
      this.#placing.forget(head)
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

  /** The units of the last caller that started, if it had no place. The store has not counted them. Empty for none. */
  get #untold(): readonly number[] {
    const { units, owes } = this.#lastOwed
    return this.#parts.clock() < this.#lastStart + owes.time ? units : []
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
    this.#forgetEmpty()
  }

  #slowed(): void {
    this.#expiresAt = Number.NEGATIVE_INFINITY
  }

  #giveBack(runs: readonly (readonly TakenPlace[])[]): Promise<void>[] {
    // From the end, because a place at the end is given back at once.
    return runs.toReversed().map(async run => this.#parts.leave(this, run))
  }

  #forgetEmpty(): void {
    if (this.isEmpty) this.#parts.emptied(this)
  }
}

function isPlaced(caller: Standing): caller is Standing & TakenPlace {
  return caller.places !== undefined
}

function positionsOf({ places }: Standing): number[] {
  return places?.flatMap(place => place?.position ?? []) ?? []
}
