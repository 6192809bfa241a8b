// The line of callers that wait for units of a bucket, as a model: what processes and the store may do, one step at a time. It shares no
// code with the sources.
//
// A search tries every order of steps (line-search.test.ts), and histories of the real code must be made of these steps
// (line-traces.test.ts). Policies are "closed" while the store is away. Not in the model: several buckets of a caller, windows beside
// buckets, fair shares, bursts that change, resets, pauses, clocks that step, event loops that stand still, and how a process spreads
// callers that are overdue.
import { BucketRules, NOBODY_AHEAD, type Place, type Terms } from './line-bucket.ts'
import {
  allow,
  changed,
  flawed,
  forgetStarts,
  heardAfter,
  lagOf,
  pastPlace,
  type Patience,
  rated,
  startUnits,
  wiped,
  withBucket,
} from './line-judge.ts'
import {
  type Answer,
  AT_ONCE,
  BLANK,
  type Caller,
  type Message,
  standingIn,
  type State,
  withBelief,
  withCaller,
  withLedger,
  withMessage,
  withProcess,
} from './line-state.ts'
import { firstAsked, type Mistake, ProcessRules, send } from './line-process.ts'

/** The steps of the protocol, from a state to the next. */
export class LineModel {
  readonly terms: Terms
  readonly #patience: Patience
  readonly #mistake: Mistake | undefined
  readonly #rules: BucketRules
  readonly #process: ProcessRules

  constructor(terms: Terms, patience: Patience, mistake?: Mistake) {
    this.terms = terms
    this.#patience = patience
    this.#mistake = mistake
    this.#rules = new BucketRules(terms, mistake)
    this.#process = new ProcessRules(terms, this.#rules, mistake)
  }

  /** Time passes. */
  pass(state: State, to: number): State {
    const passed = { ...state, now: to }
    const after = withBucket(passed, this.#rules.live(state.bucket, to))
    const reading = this.#rules.readAt(after.bucket, to)
    const isReady = ({ phase, place, ready }: Caller): boolean =>
      phase === 'standing' &&
      ready === undefined &&
      place?.born === reading!.born &&
      this.#rules.owedAt(place.position, reading!) <= 0
    if (reading === undefined || !after.callers.some(isReady))
      return forgetStarts(after, this.terms, this.#patience)
    const callers = after.callers.map(one => (isReady(one) ? { ...one, ready: to } : one))
    return forgetStarts({ ...after, callers }, this.terms, this.#patience)
  }

  /** A caller comes, and its process asks for its units. Callers of the process that have no place get theirs first. */
  ask(state: State, process: number, cost: number, maxWait: number): State {
    const { rate } = state.processes[process]!
    const placing = this.#process.placeMissing(state, process)
    const caller: Caller = {
      process,
      cost,
      rate,
      phase: 'asking',
      asked: state.now,
      told: Infinity,
      ready: undefined,
      place: undefined,
      owes: AT_ONCE,
      isPlacing: false,
    }
    const callers = [...placing.callers, caller]
    return send(
      { ...placing, callers },
      { kind: 'ask', process, callers: [state.callers.length], cost, rate, maxWait },
    )
  }

  /** The store decides a question. */
  arrive(state: State, at: number): State {
    const message = state.messages[at]!
    const { kind, cost, rate, maxWait, place } = message
    const found = this.#rules.live(state.bucket, state.now)
    const { now } = state
    const before = withBucket(state, found)
    if (kind === 'ask') {
      const { bucket, wait, isPlaced } = this.#rules.ask(found, now, { cost, rate, maxWait })
      const after = withBucket(before, bucket)
      return wait === undefined
        ? this.#answer(after, at, { wait })
        : this.#answer(charging(after, cost), at, { wait, isPlaced })
    }
    if (kind === 'look') return this.#answer(withBucket(before, this.#rules.look(found, now, rate)), at)
    if (kind === 'place') {
      const after = withBucket(before, this.#rules.place(found, now, cost, rate))
      return this.#answer(charging(after, cost), at, { wait: 0, isPlaced: true })
    }
    const returned = withLedger(before, { returned: before.ledger.returned + cost })
    if (kind === 'refund') {
      const after = withBucket(returned, this.#rules.refund(found, now, cost, rate))
      return this.#answer(after, at)
    }
    const after = withBucket(returned, this.#rules.leave(found, now, cost, place, rate))
    const line = found?.line
    const isThere = line !== undefined && line.born === place.born && place.position <= line.tail
    // A place that the store has lost counts as a refund.
    return this.#answer(isThere ? changed(after) : this.#allowRefund(after, cost), at)
  }

  /** A process hears an answer, in time or late. */
  hear(state: State, at: number): State {
    const message = state.messages[at]!
    const { kind, process, isAwaited, callers, cost } = message
    if (!state.processes[process]!.isAlive) return this.lose(state, at)
    const answer = message.answer!
    const gone = { ...state, messages: state.messages.toSpliced(at, 1) }
    if (kind === 'leave' || kind === 'refund')
      return isAwaited ? this.#process.settle(this.#process.observe(gone, message), process) : gone
    if (kind === 'look') return this.#process.settle(this.#process.observe(gone, message), process)
    if (kind === 'place')
      return this.#process.settle(
        this.#process.placed(this.#process.observe(gone, message), message),
        process,
      )
    const [own] = callers as [number]
    const caller = state.callers[own]!
    if (!isAwaited)
      return answer.wait === undefined
        ? gone
        : this.#process.settle(this.#giveBackLate(gone, message), process)
    if (answer.wait === undefined)
      return this.#process.settle(withCaller(gone, own, { phase: 'over' }), process)
    const heard = this.#process.observe(heardAfter(gone, state.now - answer.now), message, true)
    const place = answer.isPlaced ? answer.end : undefined
    if (caller.phase === 'leaving') {
      const over = withCaller(heard, own, { phase: 'over' })
      return this.#process.settle(
        this.#process.giveBack(over, process, [{ cost, rate: caller.rate, place: place ?? NOBODY_AHEAD }]),
        process,
      )
    }
    const isFirst = !standingIn(heard, process).some(() => true) && firstAsked(heard, process) > own
    if (place === undefined && isFirst) {
      const started = withCaller(heard, own, { phase: 'started', told: answer.now })
      return this.#process.settle(this.#starts(started, own), process)
    }
    const told = answer.now + answer.wait
    const reading = this.#rules.readAt(state.bucket, state.now)
    const isReady =
      place !== undefined && reading?.born === place.born && this.#rules.owedAt(place.position, reading) <= 0
    const standing = withCaller(heard, own, {
      phase: 'standing',
      place,
      told,
      ready: isReady ? Math.min(told, state.now) : undefined,
    })
    const { belief } = standing.processes[process]!
    const looksAt = standingIn(standing, process).length === 1 ? state.now + this.terms.look : belief.looksAt
    return withBelief(standing, process, { looksAt, misses: belief.misses || place === undefined })
  }

  /** A process waits no longer for an answer. The store may decide the question, or have decided it. */
  giveUp(state: State, at: number): State {
    const { kind, callers, process, cost, rate, maxWait } = state.messages[at]!
    const after = changed(withMessage(state, at, { isAwaited: false }))
    if (kind === 'place')
      return withProcess(
        callers.reduce((then, own) => withCaller(then, own, { isPlacing: false }), after),
        process,
        { cutOffAt: state.now },
      )
    if (kind !== 'ask') return after
    const [own] = callers as [number]
    if (this.#mistake === 'asks again when an answer is late' && state.callers[own]!.phase === 'asking')
      return send(after, { kind, process, callers, cost, rate, maxWait })
    return this.#process.settle(withCaller(after, own, { phase: 'over' }), process)
  }

  /** A question or an answer that nobody awaits is lost. */
  lose(state: State, at: number): State {
    const { kind, answer, cost } = state.messages[at]!
    const gone = { ...state, messages: state.messages.toSpliced(at, 1) }
    const isCharge = kind === 'ask' || kind === 'place'
    if (isCharge ? answer?.wait === undefined : kind === 'look' || answer !== undefined) return gone
    const lost = withLedger(gone, { lost: gone.ledger.lost + cost })
    return pastPlace(lost, isCharge ? answer!.end : state.messages[at]!.place, cost)
  }

  /** Whether the first caller of a process may start. */
  mayStart(state: State, process: number): boolean {
    return this.startsAt(state, process) <= state.now
  }

  /** When the first caller of a process may start, as the process knows it. */
  startsAt(state: State, process: number): number {
    const [head] = standingIn(state, process)
    // Nobody starts before the answer about somebody who came earlier.
    return head === undefined || firstAsked(state, process) < head
      ? Infinity
      : this.#process.startOf(state, head)
  }

  /** The first caller of a process starts. Returns which, too. */
  start(state: State, process: number): State {
    const [own] = standingIn(state, process) as [number]
    const { place, owes, cost } = state.callers[own]!
    const isKnown = place !== undefined || owes.time === 0
    const before = isKnown ? this.#checked(state, own) : this.#allowHere(state, process, cost)
    const started = this.#starts(pastPlace(withCaller(before, own, { phase: 'started' }), place, cost), own)
    return this.#process.settle(withBelief(started, process, { lastStart: state.now }), process)
  }

  /** A process that has heard nothing for a while asks for news, and for the places that its callers lack. */
  look(state: State, process: number): State {
    const { now } = state
    const looked = this.#process.placeMissing(
      withBelief(state, process, { looksAt: now + this.terms.look }),
      process,
    )
    return this.#mistake === 'never looks'
      ? looked
      : send(looked, { kind: 'look', process, rate: state.processes[process]!.rate })
  }

  /** Callers of a process leave together. */
  leave(state: State, process: number, leaving: readonly number[]): State {
    const standing = leaving.filter(own => state.callers[own]!.phase === 'standing')
    const given = standing.flatMap(own => {
      const { cost, rate, place, owes } = state.callers[own]!
      // What the store has lost is not given back.
      const isLost = owes.time > 0 && this.#mistake !== 'gives back what the store has lost'
      return place === undefined && isLost ? [] : [{ cost, rate, place: place ?? NOBODY_AHEAD }]
    })
    // Those that have places, one behind the other.
    const placed = [
      ...given.filter(({ place }) => place.born >= 0),
      ...given.filter(({ place }) => place.born < 0),
    ]
    const gone = leaving.reduce(
      (then, own) =>
        withCaller(then, own, { phase: standing.includes(own) ? 'over' : 'leaving', isPlacing: false }),
      movingUp(changed(state), process, leaving),
    )
    if (this.#mistake === 'lets a caller that leaves keep its place')
      return this.#process.settle(gone, process)
    const back = this.#process.giveBack(gone, process, placed)
    const twice = this.#mistake === 'gives the place of a caller that left back twice'
    return this.#process.settle(twice ? this.#process.giveBack(back, process, placed) : back, process)
  }

  /** A process ends. Nobody uses what its callers have. */
  crash(state: State, process: number): State {
    const own = standingIn(state, process)
    const ended = withProcess(changed(state), process, { isAlive: false, belief: BLANK })
    const messages = ended.messages.map(one => (one.process === process ? { ...one, isAwaited: false } : one))
    const after = own.reduce<State>(
      (then, at) => {
        const { place, owes, cost } = then.callers[at]!
        const isCharged = place !== undefined || owes.time === 0
        const lost = isCharged ? withLedger(then, { lost: then.ledger.lost + cost }) : then
        return withCaller(pastPlace(lost, place, cost), at, { phase: 'over' })
      },
      { ...ended, messages },
    )
    const callers = after.callers.map(one =>
      one.process === process && (one.phase === 'asking' || one.phase === 'leaving')
        ? { ...one, phase: 'over' as const }
        : one,
    )
    return { ...after, callers }
  }

  /** A process hears of another limit of the policy. */
  change(state: State, process: number, rate: number): State {
    const before = Math.max(...state.processes.map(one => one.rate))
    const after = withProcess(state, process, { rate })
    const { bucket, now } = state
    // Without a line, the time since the last charge is paid at the rate that holds now.
    const more =
      bucket === undefined || bucket.line !== undefined
        ? 0
        : Math.max(0, rate - bucket.rate) * (now - bucket.at)
    const highest = Math.max(...after.processes.map(one => (one.isAlive ? one.rate : 0)))
    const noted = rated(after, before, highest, this.#patience.hear)
    return more > 0 ? allow(noted, Math.min(more, this.#room)) : noted
  }

  /** The store loses all that it has. */
  wipe(state: State): State {
    return allow(wiped(withBucket(state, undefined)), this.#room)
  }

  get #room(): number {
    return this.terms.capacity * this.terms.unit
  }

  #allowRefund(state: State, cost: number): State {
    return allow(state, Math.min(cost * this.terms.unit, this.#room))
  }

  #answer(
    state: State,
    at: number,
    { wait, isPlaced = false }: Pick<Answer, 'wait'> & Partial<Answer> = { wait: 0 },
  ): State {
    const { bucket, now } = state
    const reading = this.#rules.read(bucket)
    const end: Place =
      reading === undefined || !isPlaced ? NOBODY_AHEAD : { position: reading.tail, born: reading.born }
    const answer: Answer = { now, wait, isPlaced, end, reading, rate: bucket?.rate ?? 0 }
    const message = { ...state.messages[at]!, answer }
    // In the order in which they were decided.
    return { ...state, messages: [...state.messages.toSpliced(at, 1), message] }
  }

  /** A caller was refused before its units came. Its place stays, and the time that it takes is given to all. */
  #giveBackLate(state: State, { process, cost, rate, answer }: Message): State {
    const past = pastPlace(state, answer!.end, cost)
    if (
      this.#mistake === 'keeps units whose answer came too late' ||
      this.#mistake === 'asks again when an answer is late'
    )
      return past
    return send(this.#allowRefund(past, cost), { kind: 'refund', process, cost, rate })
  }

  /** Counts a caller that starts. */
  #starts(state: State, at: number): State {
    const { cost, place, owes } = state.callers[at]!
    const isCharged = place !== undefined || owes.time === 0
    const used = isCharged ? withLedger(state, { used: state.ledger.used + cost }) : state
    return startUnits(used, cost, this.#dueOf(state, at), this.terms, this.#patience)
  }

  /** The instant from which the store lets a caller start. Now, if it starts without the store, or before it. */
  #dueOf(state: State, at: number): number {
    const { place, owes, told, ready } = state.callers[at]!
    if (place === undefined && owes.time > 0) return state.now
    if (place === undefined || place.born < 0) return told
    const reading = this.#rules.readAt(state.bucket, state.now)
    if (reading?.born !== place.born) return state.now
    return ready ?? (this.#rules.owedAt(place.position, reading) <= 0 ? Math.min(told, state.now) : state.now)
  }

  /** Looks whether a caller starts by a place that its process should know to be lost. */
  #checked(state: State, at: number): State {
    const { process, place } = state.callers[at]!
    const { now, bucket, judge } = state
    if (place === undefined || place.born < 0 || place.born === bucket?.line?.born) return state
    if (state.processes[process]!.belief.reading?.born !== place.born)
      return flawed(state, 'a caller started by the place of another line')
    const isLong = now - judge.wipedAt > lagOf(this.terms, this.#patience)
    return isLong ? flawed(state, 'a process goes on by a line that the store has lost long ago') : state
  }

  /** A caller may start by its process's share if the store did not answer, as in an outage. */
  #allowHere(state: State, process: number, cost: number): State {
    const { cutOffAt } = state.processes[process]!
    // News of the line puts the next look off.
    const isCutOff = state.now - cutOffAt <= 2 * lagOf(this.terms, this.#patience)
    if (isCutOff) return allow(state, cost * this.terms.unit)
    return flawed(state, 'a caller started without a charge, though the store answers')
  }

  /** Whether a caller waits, and nothing will ever happen to it. */
  forgets(state: State, process: number): boolean {
    const { isAlive, belief } = state.processes[process]!
    if (!isAlive || standingIn(state, process).length === 0) return false
    const isAsking = state.messages.some(one => one.process === process && one.isAwaited)
    return !isAsking && Math.min(this.startsAt(state, process), belief.looksAt) === Infinity
  }
}

/** Callers without a place move up by the time of those that leave in front of them. */
function movingUp(state: State, process: number, leaving: readonly number[]): State {
  let [after, freed] = [state, 0]
  for (const own of standingIn(state, process)) {
    const { place, owes } = state.callers[own]!
    if (place !== undefined || owes.time === 0) continue
    if (leaving.includes(own)) freed += owes.time
    else if (freed > 0) after = withCaller(after, own, { owes: { ...owes, start: owes.start - freed } })
  }
  return after
}

function charging(state: State, cost: number): State {
  return withLedger(state, { charged: state.ledger.charged + cost })
}
