import { isInLine } from '../algorithms/index.ts'
import { type Alarm, type Alarms, OwnAlarms } from './alarms.ts'
import { AT_ONCE, type InLine, type Pending } from './callers.ts'
import { Front, type Heard } from './front.ts'
import { neighbours, type TakenPlace } from './places.ts'
import { Placing, type PlacingStore } from './placing.ts'

/** How long a line waits for news of the store before it asks for some. Microseconds. */
const LOOK = 1e6
/** How long a caller that is due waits for the answer about another one in front of it, before it looks again. Microseconds. */
const BEAT = 50_000

/** The store, as a line needs it. */
export interface LineParts extends PlacingStore {
  readonly alarms: Alarms
  /** The time in microseconds, by this process's clock. */
  clock(): number
  /** Gives back places, in runs that follow each other. Resolves when the store has answered. */
  leave(runs: readonly (readonly TakenPlace[])[]): Promise<void>
  /** Called when nobody waits in the line any more. */
  emptied(line: Line): void
}

/** The callers of this process that wait for one counter in line, in the order in which they came. */
export class Line implements Alarm {
  due = 0
  /** The counter, as `keyOfDemand` names it. */
  readonly key: string
  /** The counter of the tenant's share, where tenants share the counter; otherwise empty. */
  readonly tenant: string
  readonly #front = new Front()
  readonly #parts: LineParts
  readonly #own: OwnAlarms
  readonly #placing: Placing
  #callers: InLine[] = []
  // The callers that the store is being asked about, and their order. Nobody behind them starts before the answer.
  readonly #asked = new Map<Pending, number>()
  readonly #leaving = new Set<InLine>()
  #flushing: Promise<void> | undefined
  #isSet = false
  #ringsAt = Number.POSITIVE_INFINITY
  #looksAt = Number.POSITIVE_INFINITY
  #expiresAt = Number.POSITIVE_INFINITY
  // The number of callers that have started.
  #started = 0
  // The last start, and the caller if the store does not know of it.
  #lastStart = 0
  #lastOnlyHere: InLine | undefined

  constructor(key: string, tenant: string, parts: LineParts) {
    this.key = key
    this.tenant = tenant
    this.#parts = parts
    this.#placing = new Placing(
      {
        front: this.#front,
        callers: () => this.#callers,
        onlyHere: () => this.#onlyHere,
        giveBack: places => void parts.leave(neighbours(places)),
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
    return this.#callers.length === 0 && this.#asked.size === 0 && this.#flushing === undefined
  }

  /** The units of the callers that wait in the line. */
  get units(): number {
    return this.#callers.reduce((sum, { demand }) => sum + demand.cost, 0)
  }

  /** Whether a caller that is admitted now must wait for others of this process. */
  isBehindOthers(seq: number): boolean {
    return this.#callers.length > 0 || this.#firstAsked < seq
  }

  /** Notes that the store is asked about a caller. */
  asks(caller: Pending, seq: number): void {
    this.#asked.set(caller, seq)
  }

  /** Notes that the store has answered about a caller. */
  answered(caller: Pending): void {
    if (!this.#asked.delete(caller)) return
    if (this.#callers.length > 0) this.startDue()
    else this.#forgetEmpty()
  }

  /** Adds a caller behind those that came before it. */
  stand(caller: InLine): void {
    // Replies may arrive in another order than the questions were asked.
    const at = this.#callers.findLastIndex(({ seq }) => seq <= caller.seq) + 1
    this.#callers.splice(at, 0, caller)
    if (caller.place === undefined) this.#placing.misses()
    // This process may know more than the store did when it told the start.
    if (caller.place === undefined || this.startOf(caller) > caller.deadline) this.#slowed()
    if (this.#callers.length === 1) this.#looksAt = this.#parts.clock() + LOOK
    const before = this.#started
    this.startDue()
    if (this.#started - before <= at) this.#own.watch(caller)
  }

  /** Notes the answer for a caller that asked for its place. @param isPatient whether it would not wait too long */
  joined(caller: InLine, isPatient: boolean): void {
    if (!isPatient) return this.#sendAway([caller])
    // Its start is known now.
    this.#own.forget(caller)
    this.startDue()
    if (caller.isStanding) this.#own.watch(caller)
  }

  /** Lets a caller leave. Callers that leave in the same turn of the event loop do so together. Resolves when the store has answered. */
  leave(caller: InLine): Promise<void> {
    this.#leaving.add(caller)
    return (this.#flushing ??= Promise.resolve().then(async () => this.#flush()))
  }

  async #flush(): Promise<void> {
    const leaving = this.#callers.filter(caller => this.#leaving.has(caller))
    this.#moveUp()
    this.#callers = this.#callers.filter(caller => !this.#leaving.has(caller))
    this.#leaving.clear()
    for (const caller of leaving) {
      this.#placing.forget(caller)
      this.#own.forget(caller)
    }
    const done = leaving.map(async caller => caller.gone())
    done.push(this.#parts.leave(neighbours(leaving.filter(isPlaced))))
    this.#flushing = undefined
    this.startDue()
    await Promise.all(done)
  }

  /** Moves callers without a place up by the time of those that leave in front of them. */
  #moveUp(): void {
    let freed = 0
    for (const caller of this.#callers) {
      const { place, owes } = caller
      if (place !== undefined || owes === AT_ONCE) continue
      if (this.#leaving.has(caller)) freed += owes.time
      else if (freed > 0) caller.owes = { ...owes, start: owes.start - freed }
    }
  }

  /** Hears a reply about the counter. Callers whose places are lost get new ones. */
  observe(reply: Heard): void {
    const first = this.#callers.find(({ place }) => isInLine(place))?.place
    const isSlower = this.#front.observe(reply, first)
    if (isSlower === undefined || this.#callers.length === 0) return
    // A line that has other numbers than its callers ask by is looked at: a look brings it the new ones.
    const [, , , unit, rate] = reply.state
    if (unit === reply.rule.unit && rate === reply.rule.rate) this.#looksAt = this.#parts.clock() + LOOK
    if (isSlower) this.#slowed()
    this.#placing.replaceLost()
    this.startDue()
  }

  /** Asks the store for the places of callers that have none, in one call. */
  placeMissing(): void {
    this.#placing.placeMissing()
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
      this.#lastOnlyHere = head.isOnlyHere ? head : undefined
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
    if (this.#callers[0]?.place !== undefined) this.#front.stalled(now - this.#ringsAt, now)
    if (now >= this.#looksAt && this.#callers.length > 0) {
      this.#looksAt = now + LOOK
      this.placeMissing()
      this.#callers[0]?.look()
    }
    this.startDue()
  }

  /** The units of the last caller that started, while the store does not know of them. */
  get #onlyHere(): number {
    const last = this.#lastOnlyHere
    return last !== undefined && this.#parts.clock() < this.#lastStart + last.owes.time ? last.demand.cost : 0
  }

  get #firstAsked(): number {
    for (const [caller, seq] of this.#asked) {
      if (!caller.isLost) return seq
      this.#asked.delete(caller)
      caller.drop()
    }
    return Number.POSITIVE_INFINITY
  }

  /** The instant from which a caller may start, as this process knows it. Microseconds of its clock. */
  startOf(caller: InLine): number {
    const { place, owes, isJoining } = caller
    if (isJoining) return Number.POSITIVE_INFINITY
    if (place !== undefined) return this.#front.startOf(place)
    return Math.max(owes.start, this.#front.frozenUntil, this.#lastStart + owes.time)
  }

  /** The next instant at which something may happen to a caller. */
  #nextFor(caller: InLine): number {
    const now = this.#parts.clock()
    const start = this.startOf(caller)
    // A caller that is due waits for an answer about another one.
    const next = start > now ? start : now + BEAT
    return Math.min(next, now + LOOK, Math.max(caller.deadline, now + 1000))
  }

  /** Sends callers away whose patience has ended. It can end only where callers start later than they were told. */
  #expire(now: number): void {
    if (this.#expiresAt > now) return
    this.#sendAway(this.#callers.filter(({ deadline }) => deadline <= now))
    this.#expiresAt = this.#callers.reduce(
      (first, { deadline }) => (deadline > now ? Math.min(first, deadline) : first),
      Number.POSITIVE_INFINITY,
    )
  }

  #sendAway(callers: readonly InLine[]): void {
    for (const caller of callers) {
      void this.leave(caller)
      caller.expire()
    }
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

  #forgetEmpty(): void {
    if (this.isEmpty) this.#parts.emptied(this)
  }
}

function isPlaced(caller: InLine): caller is InLine & TakenPlace {
  return caller.place !== undefined
}
