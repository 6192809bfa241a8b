import type { Alarm } from '../base/alarms.ts'
import { isPromise } from '../base/promises.ts'
import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import { tailsOf } from '../check/correction.ts'
import { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Asking, Line, Placed } from './line.ts'
import { freeableOf, waitingRoom } from './lines.ts'
import type { Ask, WaiterParts } from './waiter-parts.ts'

/** How often a caller asks for a place in flight that another process may free. Microseconds. */
const FLIGHT_BEAT = 50_000

/**
 * A caller that waits for its turn, until it starts, is refused, or gives up. It makes one promise, because thousands may wait.
 *
 * It asks. If it is given a start, it stands in the line for it. If it is told to ask again, it does so at the instant that it was
 * told, or when those in front of it have asked.
 */
export class Waiter implements Turn, Alarm, Placed, Asking {
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
  #tails: readonly number[] | undefined
  #line: Line | undefined
  // The place that the caller was given, or the refusal after which it asks again.
  #decision: Decision | undefined
  // The instant of the start, or of the next question. Microseconds of the clock of the store that told it.
  #at = 0
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
      if (isPromise(answer)) answer.then(this.#decided.bind(this), this.#fail.bind(this))
      else this.#decided(answer)
    } catch (error) {
      this.#fail(error)
    }
  }

  before({ demands }: Check): Promise<void> | undefined {
    if (this.#line !== undefined) return undefined
    this.#key = demands.length === 1 ? keyOfDemand(demands[0]!) : demands.map(keyOfDemand).join('\n')
    const line = this.#parts.lines.find(this.#key)
    if (line?.head === undefined || this.#isOver) return undefined
    this.#line = line
    line.join(this)
    return new Promise(goOn => {
      this.#goOn = goOn
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
    waitingRoom.alarms.forget(this)
    this.#at = this.#parts.now(this.#isLocal) + left
    if (!this.isDue) waitingRoom.alarms.set(this)
  }

  get tails(): readonly number[] {
    return (this.#tails ??= tailsOf(this.#result as CheckResult))
  }

  set tails(tails: readonly number[]) {
    this.#tails = tails
  }

  units(): string {
    return (this.#result?.check.demands ?? []).map(({ cost }) => cost).join()
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

  start(): void {
    const decision = this.#decision as Decision
    const blocked = this.#parts.isBlocked((this.#result as CheckResult).check)
    void blocked.then(async isBlocked => {
      if (this.#isOver) return
      if (!isBlocked) return this.#finish(decision)
      const { tails } = this
      this.#decision = undefined
      await this.#parts.withdraw(decision, tails)
      if (!this.#isOver) this.ask()
    }, this.#fail.bind(this))
  }

  get #result(): CheckResult | undefined {
    return Decision.resultOf(this.#decision)
  }

  get #isLocal(): boolean {
    return this.#decision !== undefined && this.#decision.degraded !== false
  }

  #decided(decision: Decision): void {
    const line = this.#parts.lines.find(this.#key)
    // A caller that was admitted at once, as at the begin of an outage, does not overtake others either.
    const isBehind = decision.allowed && line?.hasPlaces === true
    const startsIn = Decision.startsIn(decision) ?? (isBehind ? 0 : undefined)
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

  #stand(startsIn: number): void {
    const line = this.#line as Line
    line.leave(this)
    this.isDue = false
    this.#tails = undefined
    this.#at = Decision.evaluatedAt(this.#decision as Decision) + startsIn
    line.stand(this)
    if (!this.#isOver) return waitingRoom.alarms.set(this)
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
    const { tails } = this.#line?.giveUp(this) ?? this
    this.#parts.lines.forgetEmpty(this.#key)
    void this.#parts.withdraw(decision, tails)
  }

  #finish(decision: Decision): void {
    if (this.#isOver) return void this.#parts.cancel(decision)
    const ms = this.#hasWaited ? Math.round((this.#parts.clock() - this.#began) / 1000) : 0
    this.#settle(Decision.afterWait(decision, ms))
    this.#end()
  }

  #fail(error: unknown): void {
    this.#settle(Promise.reject(error as Error))
    this.#end()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    waitingRoom.alarms.forget(this)
    for (const counter of this.#freeable) this.#parts.lines.offFreed(counter, this)
    this.#line?.leave(this)
    this.#parts.lines.forgetEmpty(this.#key)
    this.#parts.gone(this)
  }
}
