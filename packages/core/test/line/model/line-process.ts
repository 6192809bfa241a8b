// What a process of the model of the line does by itself: what it believes of the line, when its callers start, and how it gets places
// for those that have lost theirs.
import { type BucketRules, NOBODY_AHEAD, type Place, type StoreMistake, type Terms } from './line-bucket.ts'
import { changed, flawed, pastPlace } from './line-judge.ts'
import {
  AT_ONCE,
  BLANK,
  type Message,
  standingIn,
  type State,
  withBelief,
  withCaller,
  withLedger,
  withProcess,
} from './line-state.ts'

/** Mistakes that the protocol could have. The search must find each. */
export type Mistake =
  | StoreMistake
  | 'asks again when an answer is late'
  | 'lets a caller that leaves keep its place'
  | 'gives the place of a caller that left back twice'
  | 'keeps units whose answer came too late'
  | 'waits for the places of a process that has ended'
  | 'starts all callers whose places are lost at once'
  | 'starts the first caller whose place is lost at once'
  | 'takes a new line for the old one'
  | 'believes old answers'
  | 'asks only once for lost places'
  | 'never looks'
  | 'gives back what the store has lost'

/** Units that are given back. */
export interface Given {
  readonly cost: number
  readonly rate: number
  readonly place: Place
}

/** What a process does by itself. */
export class ProcessRules {
  readonly #terms: Terms
  readonly #rules: BucketRules
  readonly #mistake: Mistake | undefined

  constructor(terms: Terms, rules: BucketRules, mistake: Mistake | undefined) {
    this.#terms = terms
    this.#rules = rules
    this.#mistake = mistake
  }

  /** A process goes by the latest of what it has heard. Callers whose places are lost get new ones. */
  observe(state: State, { process, sent, rate, answer }: Message, isAsked = false): State {
    const { belief } = state.processes[process]!
    const { now: told, reading, rate: paysAt } = answer!
    const { now } = state
    if (!isAsked && !this.isListening(state, process)) return state
    const isOld = told < belief.heardAt && sent < belief.heardCame
    if (isOld && this.#mistake !== 'believes old answers') return state
    const heard = {
      heardAt: told,
      heardCame: now,
      lag: Math.min(belief.lag, now - told),
    }
    const isOver = reading === undefined && belief.reading !== undefined
    const news = isOver ? { endedAt: now } : { reading, rate: paysAt, readAt: told, endedAt: Infinity }
    const after = withBelief(state, process, { ...heard, ...news })
    if (standingIn(after, process).length === 0) return after
    const looksAt = paysAt === rate ? now + this.#terms.look : belief.looksAt
    return this.#replaceLost(withBelief(after, process, { looksAt }), process)
  }

  #replaceLost(state: State, process: number): State {
    const { belief } = state.processes[process]!
    const standing = standingIn(state, process)
    const isInLine = (at: number): boolean => (state.callers[at]!.place?.born ?? -1) >= 0
    const lost = standing.filter(at => isInLine(at) && this.#isLost(state, at))
    const isOver = belief.endedAt < Infinity
    const ends = [standing[0]!, standing.at(-1)!]
    if (!isOver && !ends.some(at => lost.includes(at))) return state
    // The turn of the others has come.
    const rest = isOver ? standing.filter(at => isInLine(at) && !lost.includes(at)) : []
    const after = rest.reduce(
      (then, at) =>
        withCaller(pastPlace(then, then.callers[at]!.place, then.callers[at]!.cost), at, {
          place: NOBODY_AHEAD,
        }),
      state,
    )
    return this.#loses(after, process, lost)
  }

  /** Whether the store has forgotten the place of a caller. A line that is over has forgotten nobody whose turn had come. */
  #isLost(state: State, at: number): boolean {
    const { place, process } = state.callers[at]!
    const { endedAt } = state.processes[process]!.belief
    return this.#isUnknown(state, process, place!) || this.#dueAt(state, process, place!) > endedAt
  }

  #isUnknown(state: State, process: number, { born, position }: Place): boolean {
    const { reading } = state.processes[process]!.belief
    if (reading === undefined) return true
    if (this.#mistake === 'takes a new line for the old one') return false
    return reading.born !== born || position > reading.tail
  }

  startOf(state: State, at: number): number {
    const { process, place, owes } = state.callers[at]!
    const { lastStart } = state.processes[process]!.belief
    if (place === undefined) return Math.max(owes.start, lastStart + owes.time)
    if (place.born < 0) return 0
    if (
      this.#mistake === 'waits for the places of a process that has ended' &&
      state.processes.some(one => !one.isAlive)
    )
      return Infinity
    return this.#isUnknown(state, process, place) ? Infinity : this.#dueAt(state, process, place)
  }

  #dueAt(state: State, process: number, { position }: Place): number {
    const { reading, rate, readAt, lag } = state.processes[process]!.belief
    return readAt + this.#rules.timeToPay(this.#rules.owedAt(position, reading!), reading!.pool, rate) + lag
  }

  /** Callers have no places any more, and new ones are asked for. Meanwhile they start at this process's share of the rate. */
  #loses(state: State, process: number, lost: readonly number[], isGiven = false): State {
    if (lost.length === 0) return state
    const { now } = state
    let last = now
    const after = lost.reduce((before, at) => {
      let then = before
      const { cost, rate, place } = then.callers[at]!
      const isAtOnce = this.#mistake === 'starts all callers whose places are lost at once'
      const isFirst = this.#mistake === 'starts the first caller whose place is lost at once'
      const time = (cost * this.#terms.unit * this.#terms.instances) / rate
      last += time
      const owes = { start: isFirst || isAtOnce ? 0 : last, time: isAtOnce ? 1 / 64 : time }
      const lostBy = isGiven || place!.born === state.bucket?.line?.born ? 0 : cost
      if (lostBy > 0 && state.judge.wipedAt === Infinity)
        then = flawed(then, 'a place counts as lost, and the store has lost nothing')
      return withCaller(withLedger(then, { wiped: then.ledger.wiped + lostBy }), at, {
        owes,
        place: undefined,
        ready: undefined,
      })
    }, changed(state))
    return this.#asksPlaces(withBelief(after, process, { misses: true }), process, lost)
  }

  /** Asks for the places of callers that have none. */
  placeMissing(state: State, process: number): State {
    if (!state.processes[process]!.belief.misses || this.#mistake === 'asks only once for lost places')
      return state
    const standing = standingIn(state, process)
    const missing = standing.filter(at => {
      const { place, owes, isPlacing } = state.callers[at]!
      return place === undefined && owes.time > 0 && !isPlacing
    })
    if (missing.length > 0) return this.#asksPlaces(state, process, missing)
    const isAsking = standing.some(at => state.callers[at]!.isPlacing)
    return withBelief(state, process, { misses: isAsking })
  }

  #asksPlaces(state: State, process: number, callers: readonly number[]): State {
    const asking = callers.reduce((then, at) => withCaller(then, at, { isPlacing: true }), state)
    const cost = callers.reduce((sum, at) => sum + state.callers[at]!.cost, 0)
    return send(asking, { kind: 'place', process, callers, cost, rate: state.callers[callers[0]!]!.rate })
  }

  /** Callers get the places of a block. Those of callers that have started or left meanwhile are given back. */
  placed(state: State, { process, callers, isAwaited, answer }: Message): State {
    let behind = answer!.end.position
    const gone: Given[] = []
    const placed: number[] = []
    let after = state
    for (const own of callers.toReversed()) {
      const { cost, rate, phase, isPlacing } = after.callers[own]!
      const place = answer!.end.born < 0 ? NOBODY_AHEAD : { born: answer!.end.born, position: behind }
      behind -= cost
      if (isAwaited && isPlacing && phase === 'standing') {
        after = withCaller(after, own, { place, owes: AT_ONCE, isPlacing: false, told: answer!.now })
        placed.unshift(own)
      } else gone.unshift({ cost, rate, place })
    }
    after = this.giveBack(after, process, gone)
    return placed.length === 0 ? after : this.#movesBack(after, process, placed[0]!)
  }

  /** Callers that came later, but have places in front of those that were given now, stand behind them. */
  #movesBack(state: State, process: number, first: number): State {
    const { position } = state.callers[first]!.place!
    const ahead = standingIn(state, process).filter(
      at => at > first && (state.callers[at]!.place?.position ?? Infinity) < position,
    )
    const given = ahead.map(at => ({ ...state.callers[at]!, place: state.callers[at]!.place! }))
    const back = this.giveBack(state, process, given)
    return this.#loses(back, process, ahead, true)
  }

  /** Gives places back, those that follow each other in one question, from the end. */
  giveBack(state: State, process: number, given: readonly Given[]): State {
    const runs: Given[] = []
    for (const one of given) {
      const last = runs.at(-1)
      const follows =
        last !== undefined &&
        one.place.born >= 0 &&
        one.place.born === last.place.born &&
        one.place.position - one.cost === last.place.position
      if (follows) runs[runs.length - 1] = { ...one, cost: last.cost + one.cost }
      else runs.push(one)
    }
    return runs
      .toReversed()
      .reduce(
        (then, { cost, rate, place }) => send(then, { kind: 'leave', process, cost, rate, place }),
        state,
      )
  }

  isListening(state: State, process: number): boolean {
    return standingIn(state, process).length > 0 || firstAsked(state, process) < Infinity
  }

  /** A process in which nobody waits believes nothing. */
  settle(state: State, process: number): State {
    if (this.isListening(state, process) || state.processes[process]!.belief === BLANK) return state
    return withProcess(state, process, { belief: BLANK, cutOffAt: -Infinity })
  }
}

/** The first caller of a process that the store is being asked about. */
export function firstAsked({ messages }: State, process: number): number {
  let first = Infinity
  for (const { kind, isAwaited, process: own, callers } of messages)
    if (kind === 'ask' && isAwaited && own === process) first = Math.min(first, callers[0]!)
  return first
}

/** A process sends a question. */
export function send(state: State, message: Pick<Message, 'kind' | 'process'> & Partial<Message>): State {
  const whole: Message = {
    callers: [],
    cost: 0,
    rate: 1,
    maxWait: 0,
    place: NOBODY_AHEAD,
    sent: state.now,
    isAwaited: true,
    answer: undefined,
    ...message,
  }
  return { ...state, messages: [...state.messages, whole] }
}
