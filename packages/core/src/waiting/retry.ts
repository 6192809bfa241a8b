import type { Alarm } from './alarms.ts'
import type { Askers, Asking, Retrying } from './callers.ts'
import { type Lines, waitingRoom } from './lines.ts'
import type { Tickets } from './tickets.ts'
import type { TicketHolder } from './turn-news.ts'
import type { WaiterParts } from './waiter-parts.ts'

/** How often a caller asks for a permit that another process may free. Microseconds. */
const FLIGHT_BEAT = 50_000

/**
 * The next question of a caller: at the instant that the store has told, when a unit may be free, or when those in front of it have
 * asked.
 */
export class Retry implements Asking, Alarm, TicketHolder {
  due = 0
  wasRefused = false
  /** The instant at which it asks, by this process's clock. Undefined while no question is due. */
  asksAt: number | undefined
  /** The last sign of the caller's request, by this process's clock. */
  seenAt = 0
  /** The turns that the store promised, where tenants share a bucket. */
  tickets: Tickets | undefined
  readonly caller: Retrying
  readonly #lines: Lines
  readonly #clock: () => number
  #askers: Askers | undefined
  // Whether the caller may ask before its instant, as soon as its alarm rings.
  #isWoken = false
  // Whether no other caller asks first.
  #isFirst = false
  // The counters whose units the caller waits for.
  #freeable: readonly string[] = []

  constructor(caller: Retrying, { lines, store }: WaiterParts) {
    this.caller = caller
    this.#lines = lines
    this.#clock = () => store.clock()
  }

  /** Asks when those in front of the caller have asked. */
  behind(askers: Askers): void {
    this.joins(askers)
    this.#isFirst = false
    this.asksAt = this.caller.deadline
    waitingRoom.alarms.set(this)
  }

  /** Stands among the callers that ask again, and sets no alarm yet. */
  joins(askers: Askers): void {
    this.#askers = askers
    askers.join(this)
  }

  /**
   * Asks after a refusal.
   *
   * @param startsIn the wait that the store told, in microseconds
   * @param freeable the counters whose units may be given back at any time
   */
  after(askers: Askers, startsIn: number, freeable: readonly string[]): void {
    this.joins(askers)
    this.wasRefused = true
    const { deadline } = this.caller
    const wait = freeable.length === 0 ? startsIn : Math.min(startsIn, FLIGHT_BEAT)
    this.#isFirst = askers.first === this
    if (this.#isFirst) this.#freeable = freeable
    // The instant at which its turn is expected, by what this process has heard; 0 if nobody knows.
    const expected = this.tickets === undefined ? 0 : this.#lines.turns.expected(this.tickets)
    this.asksAt = this.#isFirst ? Math.min(Math.max(this.#clock() + wait, expected), deadline) : deadline
    for (const counter of this.#freeable) this.#lines.onFreed(counter, this)
    waitingRoom.alarms.set(this)
    // If its turn has come already, it waits for another policy. On Workers its alarm is set in its own request alone.
    if (this.#isFirst && expected > 0 && waitingRoom.alarms.isShared) this.#lines.turns.follow(this)
  }

  /** Notes that the caller asks. */
  asks(): void {
    this.asksAt = undefined
  }

  /** Ends it: the caller asks no more. */
  end(): void {
    if (this.asksAt !== undefined) waitingRoom.alarms.forget(this)
    this.#stopListening()
    this.leaves()
  }

  /** Asks nobody again, until it is told otherwise. */
  leaves(): void {
    this.#askers?.part(this)
  }

  left(): number {
    const now = this.#clock()
    this.seenAt = now
    const left = (this.asksAt ?? Number.POSITIVE_INFINITY) - now
    if (waitingRoom.alarms.isShared) return left
    // The callers that asked first may be lost.
    const isNext = this.#isWoken || (!this.#isFirst && this.#askers?.first === this)
    return isNext ? 0 : Math.min(left, FLIGHT_BEAT)
  }

  ring(): void {
    if (!this.#isWoken && this.#isPutOff()) return waitingRoom.alarms.set(this)
    this.#asksNow()
  }

  /** Puts the question off if the caller's turn cannot have come, as another caller of this process was told meanwhile. */
  #isPutOff(): boolean {
    const { deadline } = this.caller
    const now = this.#clock()
    if (this.tickets === undefined || this.asksAt === undefined || now >= deadline) return false
    const instant = this.#lines.turns.notBefore(this.tickets)
    if (instant <= now) return false
    this.asksAt = Math.min(instant, deadline)
    return true
  }

  #asksNow(): void {
    this.#isWoken = false
    this.#stopListening()
    this.caller.ask()
  }

  wake(): void {
    // It asks already. A second question would charge it twice.
    if (this.asksAt === undefined) return
    // On Workers the answer to a question comes only while the request lives that has asked it. So the caller's own alarm asks.
    if (!waitingRoom.alarms.isShared) return void (this.#isWoken = true)
    waitingRoom.alarms.forget(this)
    this.#asksNow()
  }

  /** Asks as soon as its alarm can ring. */
  turnCame(): void {
    const now = this.#clock()
    if (this.asksAt === undefined || this.asksAt <= now) return
    waitingRoom.alarms.forget(this)
    this.asksAt = now
    waitingRoom.alarms.set(this)
  }

  #stopListening(): void {
    this.#lines.turns.forget(this)
    for (const counter of this.#freeable) this.#lines.offFreed(counter, this)
    this.#freeable = []
  }
}
