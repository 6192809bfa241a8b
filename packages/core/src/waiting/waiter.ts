import type { Alarm } from '../base/alarms.ts'
import { isPromise } from '../base/promises.ts'
import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import { tailsOf } from '../check/correction.ts'
import { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { Asking, Line, Place, Standing } from './line.ts'
import { LeftPlace } from './left-place.ts'
import { freeableOf, lineKeyOf, waitingRoom } from './lines.ts'
import type { Ask, WaiterParts } from './waiter-parts.ts'

/** How often a caller asks for a place in flight that another process may free. Microseconds. */
const FLIGHT_BEAT = 50_000

/**
 * A caller that waits for its turn, until it starts, is refused, or gives up. It makes one promise, because thousands may wait.
 *
 * It asks. If it is given a start, it stands in the line for it. If it is told to ask again, it does so at the instant that it was
 * told, or when those in front of it have asked.
 */
export class Waiter implements Turn, Alarm, Standing, Asking {
  due = 0
  isDue = false
  /** The promise of the caller. */
  readonly turn: Promise<Decision>
  readonly #parts: WaiterParts
  readonly #ask: Ask
  readonly #began: number
  readonly #patience: number
  #settle!: (decision: Decision | Promise<never>) => void
  #isOver = false
  #hasWaited = false
  #key = ''
  #client: Caller | Subject = ''
  #line: Line | undefined
  // The place that the caller was given, or the refusal after which it asks again.
  #decision: Decision | undefined
  // The instant of the start, or of the next question. Microseconds of the clock of the store that told it.
  #at = 0
  // Names the place that the caller has taken, once it is due.
  #taken: readonly number[] | undefined
  // Lets a caller go on that stands behind others who ask.
  #goOn: (() => void) | undefined
  #freeable: readonly string[] = []

  constructor(parts: WaiterParts, ask: Ask, patience: number) {
    this.#parts = parts
    this.#ask = ask
    this.#began = parts.clock()
    this.#patience = patience
    this.turn = new Promise(settle => {
      this.#settle = settle
    })
  }

  get maxWait(): number {
    return Math.max(0, this.#began + this.#patience - this.#parts.clock())
  }

  /** Asks the store. */
  ask(): void {
    this.#decision = undefined
    try {
      const answer = this.#ask(this)
      if (isPromise(answer)) answer.then(this.#decided.bind(this), this.send.bind(this))
      else this.#decided(answer)
    } catch (error) {
      this.send(error)
    }
  }

  before(check: Check, client: Caller | Subject): Promise<void> | undefined {
    this.#client = client
    if (this.#line !== undefined) return undefined
    const { demands } = check
    this.#key = demands.length === 1 ? lineKeyOf(demands[0]!) : demands.map(lineKeyOf).join('\n')
    const line = this.#parts.lines.find(this.#key)
    if (line?.head === undefined || this.#isOver) return undefined
    this.#line = line
    line.join(this)
    return new Promise(goOn => {
      // A caller that an operator has blocked meanwhile asks anew, to be refused: its first question knows nothing of the block.
      this.#goOn = () => (this.#parts.isRefused(check, client) ? this.ask() : goOn())
      this.#sleep()
    })
  }

  /** Sends the caller away. Its place is given back. */
  send(reason: unknown): void {
    if (this.#isOver) return
    this.#settle(Promise.reject(reason as Error))
    this.#end()
    if (this.#decision?.allowed === true) this.#giveBack(this.#decision)
  }

  left(): number {
    if (this.#goOn !== undefined) return this.maxWait
    const left = this.#at - this.#parts.now(this.#isLocal)
    return this.#decision?.allowed === true ? left : Math.min(left, this.maxWait)
  }

  move(left: number): void {
    this.#at = this.#parts.now(this.#isLocal) + left
  }

  get tails(): readonly number[] {
    return tailsOf(this.#result as CheckResult)
  }

  units(): string {
    return Decision.unitsOf(this.#decision as Decision)
  }

  ring(): void {
    if (this.#decision?.allowed !== true) return this.#askAgain()
    this.isDue = true
    this.#line?.startDue()
  }

  wake(): void {
    waitingRoom.alarms.forget(this)
    this.#askAgain()
  }

  start(place: Place): void {
    const decision = this.#decision as Decision
    // Read now, because the place may be that of a caller that asks again meanwhile.
    const { tails } = place
    this.#taken = tails
    const blocked = this.#parts.isBlocked((this.#result as CheckResult).check, this.#client)
    void blocked.then(async isBlocked => {
      if (this.#isOver) return
      if (!isBlocked) return this.#finish(decision)
      this.#leavePlace()
      await this.#parts.withdraw(decision, tails)
      if (!this.#isOver) this.ask()
    }, this.send.bind(this))
  }

  /** Leaves its own place to the caller that has moved up to it, if there is one. */
  #leavePlace(): void {
    waitingRoom.alarms.forget(this)
    const [line, at, isLocal] = [this.#line as Line, this.#at, this.#isLocal]
    if (line.has(this)) {
      const place = new LeftPlace(line, this.isDue, () => at - this.#parts.now(isLocal), this.tails)
      line.replace(this, place)
      if (!place.isDue) waitingRoom.alarms.set(place)
    }
    this.#decision = undefined
  }

  get #result(): CheckResult | undefined {
    return Decision.resultOf(this.#decision)
  }

  get #isLocal(): boolean {
    return this.#decision !== undefined && this.#decision.degraded !== false
  }

  #decided(decision: Decision): void {
    try {
      this.#goOnWith(decision)
    } catch (error) {
      this.send(error)
    }
  }

  #goOnWith(decision: Decision): void {
    const startsIn = Decision.startsIn(decision) ?? (this.#isBehind(decision) ? 0 : undefined)
    if (startsIn === undefined) return this.#finish(decision)
    if (this.#isOver && !decision.allowed) return
    this.#decision = decision
    this.#hasWaited = true
    this.#line = this.#parts.lines.of(this.#key)
    // The line's own text, so that thousands of callers hold one.
    this.#key = this.#line.key
    if (decision.allowed) this.#stand(startsIn)
    else this.#askLater(startsIn)
  }

  /**
   * Whether a caller that was admitted at once, as at the begin of an outage, must not overtake others. One that no counter has
   * counted takes nothing from them.
   */
  #isBehind(decision: Decision): boolean {
    const line = this.#parts.lines.find(this.#key)
    return decision.allowed && line?.hasPlaces === true && Decision.resultOf(decision) !== undefined
  }

  #stand(startsIn: number): void {
    const line = this.#line as Line
    line.leave(this)
    this.isDue = false
    this.#taken = undefined
    this.#at = Decision.evaluatedAt(this.#decision as Decision) + startsIn
    line.stand(this)
    waitingRoom.alarms.set(this)
    if (!this.#isOver) return
    // Whoever asked in the same turn of the event loop must stand in the line first, to move up.
    const decision = this.#decision as Decision
    queueMicrotask(() => this.#giveBack(decision))
  }

  #askLater(startsIn: number): void {
    const line = this.#line as Line
    line.join(this)
    const freeable = freeableOf(this.#result as CheckResult)
    this.#at =
      Decision.evaluatedAt(this.#decision as Decision) +
      (freeable.length === 0 ? startsIn : Math.min(startsIn, FLIGHT_BEAT))
    if (line.head === this) this.#freeable = freeable
    else this.#at = Number.POSITIVE_INFINITY
    for (const counter of this.#freeable) this.#parts.lines.onFreed(counter, this)
    waitingRoom.alarms.set(this)
  }

  #sleep(): void {
    this.#hasWaited = true
    waitingRoom.alarms.set(this)
  }

  #askAgain(): void {
    for (const counter of this.#freeable) this.#parts.lines.offFreed(counter, this)
    this.#freeable = []
    const goOn = this.#goOn
    this.#goOn = undefined
    if (goOn === undefined) this.ask()
    else goOn()
  }

  #giveBack(decision: Decision): void {
    const free = this.#line?.giveUp(this)
    // Another caller may take its own place, which still has to ring.
    if (free !== undefined) waitingRoom.alarms.forget(free as Place & Alarm)
    this.#parts.lines.forgetEmpty(this.#key)
    void this.#parts.withdraw(decision, free?.tails ?? this.#taken ?? this.tails)
  }

  #finish(decision: Decision): void {
    if (this.#isOver) return void this.#parts.cancel(decision)
    const ms = this.#hasWaited ? Math.round((this.#parts.clock() - this.#began) / 1000) : 0
    this.#settle(Decision.afterWait(decision, ms))
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#decision?.allowed !== true) waitingRoom.alarms.forget(this)
    for (const counter of this.#freeable) this.#parts.lines.offFreed(counter, this)
    this.#line?.leave(this)
    this.#parts.lines.forgetEmpty(this.#key)
    this.#parts.gone(this)
  }
}
