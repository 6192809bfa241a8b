import { isPromise } from '../base/promises.ts'
import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { Caller } from '../request/caller.ts'
import { SHARED, type Subject } from '../request/subject.ts'
import { Mode } from '../store/contract.ts'
import type { LeavingCaller } from '../check/telemetry.ts'
import { CallerInLine, type Entry, type Owner } from './caller-in-line.ts'
import type { Present } from './idlers.ts'
import { endsOf, isMixed, isRefusedInLine, redeeming, timeOf, unitsInLine } from './in-line.ts'
import type { Line } from './line.ts'
import { freeableOf, waitingRoom } from './lines.ts'
import { Retry, type Retrying } from './retry.ts'
import { AT_ONCE } from './standing.ts'
import { takesTurns, ticketsAfter, type Tickets, withTickets } from './tickets.ts'
import type { Decide, Wait, WaiterParts } from './waiter-parts.ts'

/** After this time without a sign the request of a caller has ended, where a timer ends with its request. Microseconds. */
const LOST = 3e6

/**
 * A caller that waits for its turn, until it starts, is refused, or gives up. It makes one promise, because thousands may wait.
 *
 * It asks the store. If it is given a place, it stands in line until the front has come to it. If it is told to ask again, it does so
 * at the instant that it was told, or when those in front of it have asked.
 */
export class Waiter implements Turn, Owner, Retrying, Present {
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
  // Since it began to wait.
  #wait: Wait | undefined
  // Whether the caller's turn has come, and it asks for what is not waited for in line.
  #isRedeeming = false
  // What the store was asked last, and for whom.
  #check: Check | undefined
  #client: Caller | Subject | undefined
  #line: Line | undefined
  // Whether the last question came to the store. Otherwise the decision is one that needs no counter, or that of an earlier guard.
  #isStoreAsked = false
  // When the store was asked last, by this process's clock.
  #sent = 0
  // Whether an answer of the store is on its way.
  #isAsking = false
  // Undefined for a caller that has never had to ask again.
  #retry: Retry | undefined
  // Undefined for a caller that has no place, and stands behind nobody.
  #inLine: CallerInLine | undefined
  // Whether others ask first, so that its last question goes no further.
  #isBehind = false
  // Resolves when the store has answered the caller's last question, and its place was given back.
  #answering: Promise<void> | undefined
  #returning: Promise<unknown> | undefined

  constructor(parts: WaiterParts, ask: Decide, patience: number) {
    this.#parts = parts
    this.#ask = ask
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

  /** The most units that the caller asks of one counter. */
  get most(): number {
    const counted = this.check.demands.filter(({ mode }) => mode !== Mode.SHADOW)
    return Math.max(0, ...counted.map(({ cost }) => cost))
  }

  /** The start of a caller that stands in line, as this process knows it. Undefined for one that asks again later. */
  get startsAt(): number | undefined {
    return this.#inLine?.startsAt
  }

  /** Resolves when nothing is under way for a caller that was sent away. */
  async returned(): Promise<void> {
    if (!this.#isBehind) await this.#answering
    await this.#returning
  }

  /** Asks the store. */
  ask(): void {
    this.#retry?.asks()
    this.#isStoreAsked = false
    this.#isBehind = false
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
    const line = this.#parts.lines.of(check, this.#parts.store)
    this.#line = line
    this.#check = check
    this.#client = client
    this.#parts.known(this)
    if (!this.#isRedeeming && this.#isBehindAsker(line)) {
      this.#begin()
      this.#isBehind = true
      this.#again.behind(line)
      // When the others have asked, it asks anew: its policies may have other numbers by then, and operators may have acted.
      return new Promise(() => {})
    }
    // One caller of a tenant has a ticket, and the others of this process wait behind it.
    if (!this.#isOver && takesTurns(check) && line.askers.first === undefined) this.#again.joins(line)
    this.#isStoreAsked = true
    line.placeMissing()
    line.asks(this)
    this.#sent = this.#now
    this.#isAsking = true
    const places = this.#isRedeeming ? this.#inLine?.places : undefined
    return places !== undefined
      ? redeeming(check, places)
      : withTickets(check, this.#retry?.tickets, this.#retry?.isNextIn(line) === true)
  }

  /** The time in microseconds, by this process's clock. */
  get #now(): number {
    return this.#parts.store.clock()
  }

  get #again(): Retry {
    return (this.#retry ??= new Retry(this, this.#parts))
  }

  /** Whether another caller asks first, and this one would wait for it without knowing that it must be refused. */
  #isBehindAsker({ askers }: Line): boolean {
    const asker = askers.first
    if (asker === undefined || asker === this.#retry || this.#isOver) return false
    // A caller that is asked about for the first time holds nobody up, and one whose patience has ended is refused now.
    if (asker.seq > this.seq || !asker.wasRefused || this.maxWait === 0) return false
    return asker.asksAt === undefined || asker.asksAt <= this.deadline
  }

  /** Sends the caller away. Its place is given back. */
  send(reason: unknown, why: LeavingCaller['why'] = 'failed'): void {
    if (this.#isOver) return
    if (this.#wait !== undefined) this.#parts.left(this.#wait, this.#waitedMs, why)
    this.#settle(rejected(reason))
    this.#end()
    if (this.#inLine?.isStanding === true) this.#gives(this.#inLine.leave())
  }

  drop(): void {
    this.#parts.gone(this)
  }

  get isLost(): boolean {
    if (waitingRoom.alarms.isShared) return false
    return this.#now - Math.max(this.#sent, this.#retry?.seenAt ?? 0) > LOST
  }

  turnCame(): void {
    // It left while the store was asked, and would have started at once.
    if (this.#isOver) return this.#giveUpPlace()
    const { check } = this
    const { decision, places } = this.#inLine!
    if (this.#isBlocked(check) || (decision === undefined && places === undefined)) {
      this.#giveUpPlace()
      return this.ask()
    }
    if (places !== undefined && isMixed(check)) {
      // One that came earlier asks for the rest first.
      if (this.#isBehindAsker(this.#line!)) this.#giveUpPlace()
      else this.#isRedeeming = true
      return this.ask()
    }
    this.#inLine!.payForDelay(this.#sent)
    this.#finish(decision!)
  }

  expired(): void {
    if (!this.#isOver) this.#refuse()
  }

  look(): void {
    const { check } = this
    const look = (now: Check): void => this.#parts.store.look(now)
    if (this.#isBlocked(check)) return look(check)
    // Its policies may have other numbers now. The check is built anew, and goes no further.
    const before = (now: Check): Promise<void> => {
      look(now)
      return new Promise(() => {})
    }
    try {
      const answer = this.#ask({ maxWait: this.maxWait, before })
      if (isPromise(answer)) answer.then(undefined, () => look(check))
    } catch {
      look(check)
    }
  }

  #failed(error: unknown): void {
    this.#isAsking = false
    this.#line?.answered(this)
    this.send(error)
  }

  #decided(decision: Decision): void {
    this.#isAsking = false
    const result = Decision.resultOf(decision)
    try {
      if (this.#isStoreAsked && result?.degraded === false) {
        const { lines } = this.#parts
        lines.turns.hear(result.check, result.evaluation, this.#now)
        if (decision.allowed) lines.heard(result.check, result.evaluation, this.#sent, this.#now)
      }
      this.#goOnWith(decision, result)
    } catch (error) {
      this.send(error)
    } finally {
      // It may ask anew.
      if (!this.#isAsking) this.#line?.answered(this)
    }
  }

  #goOnWith(decision: Decision, result: CheckResult | undefined): void {
    if (!this.#isStoreAsked) {
      this.#giveUpPlace()
      return this.#finish(decision)
    }
    const startsIn = Decision.startsIn(decision)
    // What was promised is kept, or will be asked for again.
    if (decision.allowed) this.#hold(undefined)
    else if (result?.degraded === false && startsIn !== undefined)
      this.#hold(ticketsAfter(result, this.#retry?.tickets))
    if (this.#isRedeeming) {
      this.#isRedeeming = false
      if (decision.allowed && startsIn === undefined) return this.#finish(decision)
      this.#giveUpPlace()
    }
    if (decision.allowed && this.#isBlockedMeanwhile(decision)) return
    if (decision.allowed) {
      const isCounted = result !== undefined && result.degraded !== 'open'
      if (startsIn === undefined && !(isCounted && this.#line?.isBehindOthers(this)))
        return this.#finish(decision)
      return this.#stand(decision, result!, startsIn)
    }
    if (this.#isOver) return this.#giveBackTickets()
    if (startsIn === undefined) return this.#finish(decision)
    if (this.#parts.isFull && this.#wait === undefined) return this.#refuse()
    this.#begin(decision)
    const { check, evaluation, degraded } = result!
    if (degraded === false && isMixed(check) && isRefusedInLine(check, evaluation))
      this.#askInLine(result!, startsIn)
    else this.#askLater(result!, startsIn)
  }

  /** Whether an operator has blocked the client since the store was asked. The caller then asks again, to be refused. */
  #isBlockedMeanwhile(decision: Decision): boolean {
    if (this.#check === undefined || this.#isOver || !this.#isBlocked(this.#check)) return false
    this.#gives(this.#parts.cancel(decision))
    this.ask()
    return true
  }

  #isBlocked(check: Check): boolean {
    return this.#parts.isRefused(check, this.#client!)
  }

  /** Stands in line with a place, or behind others. */
  #stand(
    decision: Decision,
    { check, evaluation, degraded }: CheckResult,
    startsIn: number | undefined,
  ): void {
    const isOfStore = degraded === false
    // The fallback's check has the numbers of this process's share.
    if (isOfStore) this.#check = check
    this.#standIn({
      units: unitsInLine(this.check),
      places: isOfStore && startsIn !== undefined ? endsOf(check, evaluation) : undefined,
      owes: isOfStore
        ? AT_ONCE
        : {
            start: this.#now + (startsIn ?? 0),
            time: timeOf(check, unitsInLine(check)),
          },
      charged: decision,
    })
    if (this.#inLine?.isStanding !== true) return
    if (this.#parts.isFull && this.#wait === undefined) {
      this.#gives(this.#inLine.leave())
      this.#refuse()
    } else this.#begin(decision, startsIn)
  }

  #standIn(entry: Entry): void {
    const place = this.#enter(entry)
    this.#inLine = place
    // The store admitted a wait that began when it was asked, and the caller begins to wait when the answer has arrived.
    this.deadline += this.#now - this.#sent
    this.#retry?.leaves()
    place.stand()
    if (this.#isOver && place.isStanding) this.#gives(place.leave())
  }

  #enter(entry: Entry): CallerInLine {
    return new CallerInLine(this, this.#parts, this.#line!, entry)
  }

  /** Takes a place in the lines of a check. The rest of it is asked for when the caller's turn has come. */
  #askInLine(refused: CheckResult, startsIn: number): void {
    const then = (result: CheckResult): void => {
      const { check, evaluation, degraded } = result
      if (evaluation.allowed && degraded === false) {
        this.#parts.lines.heard(check, evaluation, this.#sent, this.#now)
        const units = unitsInLine(refused.check)
        const entry = { units, places: endsOf(check, evaluation), charged: { forPlace: result } }
        if (evaluation.startsIn !== undefined) return this.#standIn(entry)
        // Units came back meanwhile, and were charged without a place. At its turn the caller would be charged again.
        this.#gives(this.#enter(entry).giveUp())
      }
      const waited = this.#now - this.#sent
      if (!this.#isOver) this.#askLater(refused, Math.max(0, startsIn - waited))
    }
    this.#sent = this.#now
    const answer = this.#parts.askInLine(refused.check)
    if (!isPromise(answer)) return then(answer)
    // Until the answer nobody behind it starts, and the line is kept, which hears of the place.
    this.#isAsking = true
    const answered = (result: CheckResult): void => {
      this.#isAsking = false
      then(result)
      this.#line!.answered(this)
      if (this.#isOver) this.#giveBackTickets()
    }
    this.#answering = answer.then(answered).catch(this.#failed.bind(this))
  }

  #askLater(result: CheckResult, startsIn: number): void {
    this.#again.after(this.#line!, startsIn, freeableOf(result))
  }

  /** Gives back the place of a caller that does not take it at its turn. */
  #giveUpPlace(): void {
    const place = this.#inLine
    this.#inLine = undefined
    if (place !== undefined) this.#gives(place.giveUp())
  }

  /** Notes that something is being given back. */
  #gives(returned: Promise<unknown>): void {
    this.#returning = this.#returning === undefined ? returned : Promise.all([this.#returning, returned])
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
    const { policies, demands } = this.check
    this.#wait = {
      key: decision?.key ?? demands[0]?.subject ?? '',
      policy: decision?.policy ?? policies[0]?.name ?? '',
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
      if (decision.allowed) this.#gives(this.#parts.cancel(decision))
      return
    }
    const ms = this.#waitedMs
    if (this.#wait !== undefined && decision.allowed) this.#parts.started(this.#wait, ms)
    else if (this.#wait !== undefined) this.#parts.left(this.#wait, ms, decision.reason)
    this.#settle(Decision.afterWait(decision, ms))
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#retry?.end()
    this.#parts.gone(this)
    this.stay?.()
    if (!this.#isAsking) this.#giveBackTickets()
  }

  #hold(tickets: Tickets | undefined): void {
    if (tickets !== undefined) this.#again.tickets = tickets
    else if (this.#retry !== undefined) this.#retry.tickets = undefined
  }

  #giveBackTickets(): void {
    const tickets = this.#retry?.tickets
    if (tickets !== undefined) this.#gives(this.#parts.store.giveBack(this.check, tickets))
    this.#hold(undefined)
  }
}

/** What rejects a promise. A rejected promise would first be noted as one that nobody handles, which is dear where thousands leave. */
function rejected(reason: unknown): PromiseLike<never> {
  // oxlint-disable-next-line unicorn/no-thenable -- it is one
  return { then: (_: unknown, reject: (reason: unknown) => void) => reject(reason) } as PromiseLike<never>
}
