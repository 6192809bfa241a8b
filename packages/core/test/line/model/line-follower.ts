// The model of the line, led by what the real code does.
import { deepStrictEqual as same } from 'node:assert/strict'

import { type Demand, Mode } from '../../../src/databases/index.ts'
import type { Terms } from './line-bucket.ts'
import { flawOf } from './line-judge.ts'
import { LineModel } from './line-model.ts'
import type { Mistake } from './line-process.ts'
import { begin, type Message, standingIn, type State } from './line-state.ts'

/** What tells a message from others: all its states share it. */
export type Token = Message['callers']

const UNIT = 1_000_000
const PATIENCE = { timeout: 100_000, hear: 1_500_000 }
/** By how much a clock of doubles may be wrong. */
const ROUNDING = 1
/** How late a timer may ring. */
const COARSE = 3000
/** The time over which callers are spread that are overdue. */
const SPREAD = 300_000

/**
 * The model cannot know what a process does. One that spreads callers that are overdue, and hears that the line is over, takes those that
 * it has held back for lost ones, and asks for new places.
 */
export class Unknowable extends Error {}

/** The model, led by what the real code does. */
export class Follower {
  readonly #model: LineModel
  readonly #micros: () => number
  readonly #unsent = new Set<Token>()
  readonly made: Record<string, number>
  state: State

  constructor(
    { capacity, limits }: { readonly capacity: number; readonly limits: readonly number[] },
    micros: () => number,
    made: Record<string, number>,
    mistake?: Mistake,
  ) {
    const terms: Terms = {
      unit: UNIT,
      capacity,
      look: 1_000_000,
      echo: 2_500_000,
      refundTime: 1_000_000,
      instances: limits.length,
    }
    this.#model = new LineModel(terms, PATIENCE, mistake)
    this.#micros = micros
    this.made = made
    this.state = { ...begin(limits), now: micros() }
  }

  /** Makes a step of the model at this instant. */
  step(name: string, make: (model: LineModel, state: State) => State): void {
    this.made[name] = (this.made[name] ?? 0) + 1
    const { callers: before, judge } = this.state
    const known = new Set(this.state.messages.map(({ callers }) => callers))
    const after = make(this.#model, this.#model.pass(this.state, this.#micros()))
    for (const { callers } of after.messages) if (!known.has(callers)) this.#unsent.add(callers)
    // How much starts in an interval is judged elsewhere, on all random histories of the line.
    this.state = { ...after, judge: { ...judge, wipedAt: after.judge.wipedAt } }
    const flaw = flawOf(this.state)
    if (flaw !== undefined) this.#fail(`After "${name}" of ${before.length} callers: ${flaw}.`)
  }

  /** Makes a step about a message. */
  about(name: 'arrive' | 'hear' | 'giveUp' | 'lose', token: Token): void {
    const at = this.state.messages.findIndex(one => one.callers === token)
    if (at < 0) this.#fail(`The model knows no message to ${name}.`)
    const { kind, isAwaited } = this.state.messages[at]!
    const late = name === 'hear' && !isAwaited ? ' late' : ''
    this.step(`${name} ${kind}${late}`, (model, state) => model[name](state, at))
  }

  find(token: Token): Message | undefined {
    return this.state.messages.find(one => one.callers === token)
  }

  /** A process sends a question: one that the model sends, too. */
  sends(process: number, { mode, cost, rule, terms }: Demand): Token {
    if (mode === Mode.LOOK || (mode === Mode.SETTLE && cost > 0)) this.#looks(process)
    const units = Math.abs(cost)
    const place = terms?.place && { position: terms.place.position, born: terms.place.born }
    const kind =
      mode === Mode.LOOK
        ? 'look'
        : mode !== Mode.SETTLE
          ? 'ask'
          : cost > 0
            ? 'place'
            : place === undefined
              ? 'refund'
              : 'leave'
    const isSame = (one: Message): boolean =>
      one.process === process &&
      one.kind === kind &&
      one.cost === units &&
      (kind === 'refund' || one.rate === rule.rate) &&
      (kind !== 'leave' || (one.place.position === place!.position && one.place.born === place!.born)) &&
      this.#unsent.has(one.callers)
    const found = this.state.messages.find(isSame)
    if (found === undefined && kind === 'place' && this.#mayHoldBack(process)) throw new Unknowable()
    if (found === undefined)
      this.#fail(
        `Process ${process} sends what the model does not: ${kind} ${cost} ${JSON.stringify(place)}.`,
      )
    this.#unsent.delete(found.callers)
    return found.callers
  }

  /** A process that has heard nothing for a while looks, not before its time. */
  #looks(process: number): void {
    const { looksAt } = this.state.processes[process]!.belief
    const now = this.#micros()
    const isAsked = this.state.messages.some(
      one => one.process === process && this.#unsent.has(one.callers) && one.kind !== 'ask',
    )
    if (isAsked || standingIn(this.state, process).length === 0) return
    if (looksAt <= now + ROUNDING) this.step('look', (model, state) => model.look(state, process))
  }

  #mayHoldBack(process: number): boolean {
    const isDue = standingIn(this.state, process).some(at => this.state.callers[at]!.place?.born === -1)
    return isDue && this.state.processes[process]!.belief.endedAt === this.state.now
  }

  /** A caller starts, in its order and not before its time. */
  started(own: number): void {
    const { phase, process } = this.state.callers[own]!
    if (phase === 'started') return
    const [head] = standingIn(this.state, process)
    if (phase !== 'standing' || head !== own)
      this.#fail(`The caller ${own} starts, and in the model it is ${phase} behind ${head}.`)
    const early = this.#model.startsAt(this.state, process) - this.#micros()
    if (early > ROUNDING) this.#fail(`The caller ${own} starts ${early} microseconds too early.`)
    this.step('start', (model, state) => model.start(state, process))
  }

  refused(own: number): void {
    same(this.state.callers[own]!.phase, 'over')
  }

  /** Nothing may be left that the real code has not done. */
  settled(isCalm: boolean): void {
    const now = this.#micros()
    for (const { callers, kind, process } of this.state.messages)
      if (this.#unsent.has(callers)) this.#fail(`Process ${process} does not send: ${kind}.`)
    for (const [process, { isAlive, belief }] of this.state.processes.entries()) {
      if (!isAlive) continue
      const late = now - this.#model.startsAt(this.state, process)
      if (late > (isCalm ? COARSE : SPREAD + COARSE))
        this.#fail(`A caller of process ${process} is held ${late} microseconds too long.`)
      const isWaiting = standingIn(this.state, process).length > 0
      if (isWaiting && now - belief.looksAt > COARSE) this.#fail(`Process ${process} does not look.`)
    }
  }

  /** What the store must keep. */
  get kept(): unknown {
    const { bucket } = this.state
    if (bucket === undefined) return []
    const { at, debt, rate, line } = bucket
    if (line === undefined) return [at, debt, rate]
    const holes = line.holes.flat()
    const gone = line.holes.reduce((sum, [, units]) => sum + units, 0)
    return [at, debt, rate, line.born, line.tail, line.pool, line.until, gone, ...holes]
  }

  forget(token: Token): void {
    this.#unsent.delete(token)
  }

  #fail(text: string): never {
    throw new Error(`${text} ${JSON.stringify(this.state)}`)
  }
}
