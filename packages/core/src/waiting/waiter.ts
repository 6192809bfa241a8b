import { isPromise, rejected } from '../base/promises.ts'
import type { Check, QueuedCaller } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import type { LeavingCaller } from '../check/telemetry.ts'
import type { Caller } from '../request/caller.ts'
import { SHARED, type Subject } from '../request/identity.ts'
import { Mode } from '../store/contract.ts'
import { isSameCounter } from '../store/counter-key.ts'
import type { CallerInLine, Owner } from './caller-in-line.ts'
import type { Retrying } from './callers.ts'
import type { Present, Decide, Wait, WaiterParts } from './waiter-parts.ts'
import { freeableOf, waitingRoom } from './lines.ts'
import { Passage } from './passage.ts'
import { Retry } from './retry.ts'
import {
  takesTurns,
  ticketGroup,
  ticketsAfter,
  type Tickets,
  waitBehind,
  withoutWait,
  withTickets,
} from './tickets.ts'

/** After this time without a sign the request of a caller has ended, where a timer ends with its request. Microseconds. */
const LOST = 3e6

/**
 * Where a caller's question is. `made`: its policies and keys are being found. `behind`: others ask first, so that it goes no
 * further, and is never answered. `sent`: the store has it. `answered`: there is none, and the caller waits for its turn, or for the
 * instant at which it asks again.
 */
type Question = 'made' | 'behind' | 'sent' | 'answered'

/**
 * A caller that waits for its turn, until it starts, is refused, or gives up. It makes one promise, because thousands may wait.
 *
 * It asks the store. If the store gives it a place, it stands in line until the front has come to it, and starts. A caller of
 * several buckets stands in one line at a time, that of the slowest bucket first, and asks for the rest when its turn has come. It
 * keeps the units of a line that it has passed while it stands in the next one. A caller of anything else asks again at the instant
 * that it was told, or when those in front of it have asked; it then keeps nothing.
 */
export class Waiter implements QueuedCaller, Owner, Retrying, Present {
  /** The promise of the caller. */
  readonly turn: Promise<Decision>
  readonly seq: number
  deadline: number
  /** Ends what makes the caller leave: called when it no longer waits. */
  stay: (() => void) | undefined
  readonly #parts: WaiterParts
  readonly #ask: Decide
  readonly #began: number
  #settle!: (decision: Decision | PromiseLike<never>) => void
  #isOver = false
  #question: Question = 'answered'
  // Since it began to wait.
  #wait: Wait | undefined
  // What the store was asked last, and for whom.
  #check: Check | undefined
  #client: Caller | Subject | undefined
  // When the store was asked last, by this process's clock.
  #sent = 0
  // The least time that it must wait, because others of its tenant ask before it. Microseconds.
  #least = 0
  // Undefined for a caller that has never had to ask again.
  #retry: Retry | undefined
  // Resolves when the store has answered the caller's last question, and its place was given back.
  #answering: Promise<void> | undefined
  readonly #passage: Passage

  constructor(parts: WaiterParts, ask: Decide, patience: number) {
    this.#parts = parts
    this.#ask = ask
    this.#passage = new Passage(this, parts)
    this.seq = parts.nextSeq()
    this.#began = parts.store.clock()
    this.deadline = this.#began + patience
    this.turn = new Promise(settle => {
      this.#settle = settle
    })
  }

  get maxWait(): number {
    return Math.max(0, this.deadline - this.#now)
  }

  get check(): Check {
    return this.#check!
  }

  isOf(subject: Subject | undefined): boolean | undefined {
    if (subject === undefined) return true
    const demands = this.#check?.demands
    return (
      demands &&
      (this.#client === subject ||
        demands.some(demand => demand.subject === subject) ||
        demands.every(demand => demand.subject === SHARED))
    )
  }

  get most(): number {
    const counted = this.check.demands.filter(({ mode }) => mode !== Mode.SHADOW)
    return Math.max(0, ...counted.map(({ cost }) => cost))
  }

  get policy(): string {
    return this.#wait?.policy ?? ''
  }

  /** The start of a caller that stands in line, as this process knows it. Undefined for one that asks again later. */
  get startsAt(): number | undefined {
    return this.#passage.inLine?.startsAt
  }

  /** Resolves when nothing is under way for a caller that was sent away. */
  async returned(): Promise<void> {
    if (this.#question !== 'behind') await this.#answering
    await this.#passage.returned
  }

  /** Asks the store. */
  ask(): void {
    this.#passage.answered()
    this.#retry?.asks()
    this.#question = 'made'
    // A question that went no further is never answered, and this one may be answered at once.
    this.#answering = undefined
    try {
      const answer = this.#ask(this)
      if (!isPromise(answer)) return this.#decided(answer)
      this.#answering = Promise.resolve(answer).then(this.#decided.bind(this), this.#failed.bind(this))
    } catch (error) {
      this.#failed(error)
    }
  }

  before(check: Check, client: Caller | Subject): Check | Promise<void> {
    const { lines } = this.#parts
    this.#check = check
    this.#client = client
    this.#parts.countersKnown(this)
    if (this.#isBehindAsker()) {
      this.#passage.giveBackTaken()
      if (this.#wait === undefined) this.#least = waitBehind(check, lines.unitsBefore(this, check))
      // It is decided as by `check`. The store refuses it as it refuses those in front of it.
      if (this.#isFull || this.#least > this.maxWait)
        return this.#sends({ ...check, demands: check.demands.map(withoutWait) })
      this.#begin()
      this.#question = 'behind'
      this.#again.behind(lines.askersOf(check))
      // When the others have asked, it asks anew: its policies may have other numbers by then, and operators may have acted.
      return new Promise(() => {})
    }
    // One caller of a tenant has a ticket, and the others of this process wait behind it.
    if (!this.#isOver && takesTurns(check) && lines.askersFor(check)?.first === undefined)
      this.#again.joins(lines.askersOf(check))
    const isFirst = this.#retry !== undefined && lines.askersFor(check)?.first === this.#retry
    return this.#sends(this.#passage.asks(withTickets(check, this.#retry?.tickets, isFirst)))
  }

  #sends(check: Check): Check {
    this.#check = check
    this.#sent = this.#now
    this.#question = 'sent'
    return check
  }

  /** The time in microseconds, by this process's clock. */
  get #now(): number {
    return this.#parts.store.clock()
  }

  get #again(): Retry {
    return (this.#retry ??= new Retry(this, this.#parts))
  }

  /** Whether it would have to begin to wait, and nobody else may. */
  get #isFull(): boolean {
    return this.#parts.isFull && this.#wait === undefined
  }

  /** Whether another caller asks first, and this one would wait for it without knowing that it must be refused. */
  #isBehindAsker(): boolean {
    const asker = this.#parts.lines.askersFor(this.check)?.first
    if (asker === undefined || asker === this.#retry || this.#isOver) return false
    // A caller that is asked about for the first time holds nobody up, and one whose patience has ended is refused now.
    if (asker.caller.seq > this.seq || !asker.wasRefused || this.maxWait === 0) return false
    return asker.asksAt === undefined || asker.asksAt <= this.deadline
  }

  /** Sends the caller away. Its place is given back. */
  send(reason: unknown, why: LeavingCaller['why'] = 'failed'): void {
    if (this.#isOver) return
    if (this.#wait !== undefined) this.#parts.left(this.#wait, this.#waitedMs, why)
    this.#settle(rejected(reason))
    this.#end()
    if (this.#passage.isStanding) this.#passage.gives(this.#passage.inLine!.leave())
  }

  drop(): void {
    this.#parts.gone(this)
  }

  get isLost(): boolean {
    if (waitingRoom.alarms.isShared) return false
    return this.#now - Math.max(this.#sent, this.#retry?.seenAt ?? 0) > LOST
  }

  turnCame(): void {
    const inLine = this.#passage.inLine!
    // It left while the store was asked, and would have started at once.
    if (this.#isOver) return this.#passage.gives(inLine.giveUp())
    const { decision, check } = inLine
    if (this.#isBlocked(check)) {
      this.#passage.gives(inLine.giveUp())
      return this.ask()
    }
    if (decision !== undefined) return this.#finish(decision)
    this.#passage.pass()
    this.ask()
  }

  expired(): void {
    if (this.#isOver) return
    this.#passage.giveBackTaken()
    // The refusal tells the wait that is left once its place was given back.
    void Promise.resolve().then(() => this.#refuse())
  }

  look(): void {
    const { check, at } = this.#passage.inLine!
    const look = (now: Check, index: number): void => this.#parts.store.look({ check: now, at: index })
    if (this.#isBlocked(check)) return look(check, at)
    const demand = check.demands[at]!
    // Its policies may have other numbers now. The check is built anew, and goes no further.
    const before = (now: Check): Promise<void> => {
      const own = now.demands.findIndex(other => isSameCounter(other, demand))
      look(own < 0 ? check : now, own < 0 ? at : own)
      return new Promise(() => {})
    }
    try {
      const answer = this.#ask({ maxWait: this.maxWait, before })
      if (isPromise(answer)) answer.then(undefined, () => look(check, at))
    } catch {
      look(check, at)
    }
  }

  #failed(error: unknown): void {
    this.#question = 'answered'
    this.#passage.answered()
    this.send(error)
  }

  #decided(decision: Decision): void {
    // Otherwise the decision is one that needs no counter, or that of an earlier guard.
    const isOfStore = this.#question === 'sent'
    this.#question = 'answered'
    const result = Decision.resultOf(decision)
    try {
      if (isOfStore && result?.degraded === false) {
        const { lines } = this.#parts
        lines.turns.observe(result.check, result.evaluation, this.#now)
        if (decision.allowed) lines.observe(result.check, result.evaluation, this.#sent, this.#now)
      }
      if (isOfStore) this.#goOnWith(decision, result)
      else this.#finishUncounted(decision)
    } catch (error) {
      this.send(error)
    } finally {
      // It may ask anew.
      if (this.#question === 'answered') this.#passage.answered()
    }
  }

  #finishUncounted(decision: Decision): void {
    this.#passage.giveBackTaken()
    this.#finish(decision)
  }

  #goOnWith(decision: Decision, result: CheckResult | undefined): void {
    const startsIn = Decision.startsIn(decision)
    // What was promised is kept, or will be asked for again.
    if (decision.allowed) this.#hold(undefined)
    else if (result?.degraded === false && startsIn !== undefined)
      this.#hold(ticketsAfter(result, this.#retry?.tickets))
    if (decision.allowed) this.#admitted(decision, result, startsIn)
    else if (this.#isOver) this.#giveBackAll()
    else if (startsIn === undefined) this.#finishUncounted(decision)
    else if (this.#isFull) this.#refuse()
    else this.#waitFor(decision, result!, startsIn)
  }

  /** Starts, or stands in line with a place that was given, or behind others. */
  #admitted(decision: Decision, result: CheckResult | undefined, startsIn: number | undefined): void {
    this.#passage.charged()
    if (result === undefined || result.degraded === 'open') return this.#finish(decision)
    const passage = this.#passage
    const isBlocked = !this.#isOver && this.#isBlocked(this.check)
    if (this.#isOver || isBlocked) {
      passage.gives(passage.enter(this.check, decision, result, startsIn).giveUp())
      // An operator has blocked the client since the store was asked. It asks again, to be refused.
      return isBlocked ? this.ask() : undefined
    }
    if (startsIn === undefined && !passage.isBehindOthers) return this.#finish(decision)
    this.#stand(passage.enter(this.check, decision, result, startsIn))
    if (!passage.isStanding) return
    if (this.#isFull) {
      passage.gives(passage.inLine!.leave())
      void Promise.resolve().then(() => this.#refuse())
    } else this.#begin(decision, startsIn)
  }

  /** Waits in line for the slowest bucket whose line it has not passed, or asks again later. */
  #waitFor(decision: Decision, result: CheckResult, startsIn: number): void {
    this.#begin(decision)
    const inLine = this.#passage.enterNext(this.check, result, startsIn)
    if (inLine !== undefined) return this.#stand(inLine)
    this.#passage.giveBackTaken()
    this.#again.after(this.#parts.lines.askersOf(this.check), startsIn, freeableOf(result))
  }

  #stand(inLine: CallerInLine): void {
    // The store admitted a wait that began when it was asked, and the caller begins to wait when the answer has arrived.
    this.deadline += this.#now - this.#sent
    this.#passage.stand(inLine)
    // Those that ask behind it ask now, and stand behind it.
    if (inLine.isStanding) this.#retry?.leaves()
  }

  #isBlocked(check: Check): boolean {
    return this.#parts.isRefused(check, this.#client!)
  }

  /** Asks for a refusal, because the caller may not wait. */
  #refuse(): void {
    const answer = this.#ask(undefined)
    if (isPromise(answer)) answer.then(this.#finish.bind(this), this.send.bind(this))
    else this.#finish(answer)
  }

  /** @param startsIn how long it will wait, in microseconds; undefined if nobody knows */
  #begin(decision?: Decision, startsIn?: number): void {
    if (this.#wait !== undefined || this.#isOver) return
    const ahead = this.#parts.lines.askersFor(this.check)?.first
    this.#wait = {
      key: decision?.key ?? this.check.demands[0]?.subject ?? '',
      policy: decision?.policy ?? ahead?.caller.policy ?? '',
      units: this.most,
      startsInMs: startsIn === undefined ? undefined : Math.ceil(startsIn / 1000),
    }
    this.#parts.waits(this, this.#wait)
  }

  /** How long the caller has waited, in whole milliseconds. */
  get #waitedMs(): number {
    return this.#wait === undefined ? 0 : Math.round((this.#now - this.#began) / 1000)
  }

  #finish(decision: Decision): void {
    if (this.#isOver) {
      if (decision.allowed) this.#passage.gives(this.#parts.abandon(decision))
      return
    }
    const ms = this.#waitedMs
    if (this.#wait !== undefined && decision.allowed) this.#parts.started(this.#wait, ms)
    else if (this.#wait !== undefined) this.#parts.left(this.#wait, ms, decision.reason)
    this.#settle(Decision.afterWait(Decision.postponed(decision, this.#least), ms))
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#retry?.end()
    this.#parts.gone(this)
    this.stay?.()
    if (this.#question !== 'sent') this.#giveBackAll()
  }

  #giveBackAll(): void {
    this.#passage.giveBackTaken()
    const tickets = this.#retry?.tickets
    if (tickets !== undefined)
      this.#passage.gives(this.#parts.store.correct(ticketGroup(this.check, tickets)))
    this.#hold(undefined)
  }

  #hold(tickets: Tickets | undefined): void {
    if (tickets !== undefined) this.#again.tickets = tickets
    else if (this.#retry !== undefined) this.#retry.tickets = undefined
  }
}
