import { NOBODY_AHEAD, type Place } from '../algorithms/index.ts'
import type { Alarms } from './alarms.ts'
import type { InLine, Owed } from './callers.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { Group } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { Line, LineParts } from './line.ts'
import { type Lines, waitingRoom } from './lines.ts'
import { endOf, joinGroup, leaveGroup, lookGroup, placeGroup, type TakenPlace, timeOf } from './places.ts'

/** What lines ask of the store of a limiter. */
export class LineStore implements LineParts {
  readonly #store: Evaluator
  readonly #lines: Lines

  constructor(store: Evaluator, lines: Lines) {
    this.#store = store
    this.#lines = lines
  }

  get alarms(): Alarms {
    return waitingRoom.alarms
  }

  clock(): number {
    return this.#store.ownTime()
  }

  /** Asks for news of a line. */
  look(caller: Pick<TakenPlace, 'check' | 'at'>): void {
    this.#ask(lookGroup(caller), () => {})
  }

  /**
   * Asks for the place of a caller.
   *
   * @param then called with its place; `false` if it would wait too long; undefined if it gets none now. Called again for a place that
   *   comes too late.
   */
  join(
    caller: Pick<TakenPlace, 'check' | 'at'>,
    maxWait: number,
    then: (place: Place | false | undefined) => void,
  ): void {
    const group = joinGroup(caller, maxWait)
    this.#ask(group, evaluation => {
      if (evaluation?.allowed === true) return then(placeOf(group, evaluation))
      then(evaluation !== undefined && evaluation.startsIn === undefined ? false : undefined)
    })
  }

  place(callers: readonly InLine[], started: number, then: (end: Place | undefined) => void): void {
    const group = placeGroup(callers, started)
    this.#ask(group, evaluation => then(evaluation && endOf(group, 0, evaluation)))
  }

  async leave(runs: readonly (readonly TakenPlace[])[]): Promise<void> {
    // From the end, because a place at the end is given back at once.
    await Promise.all(runs.toReversed().map(async run => this.correct(leaveGroup(run))))
  }

  owedBy({ demand, decision }: Pick<InLine, 'demand' | 'decision'>, before: Owed | undefined): Owed {
    const time = timeOf(demand) * this.#store.instances()
    // A caller that has its decision starts uncharged, so it waits as long as its units take. Another one asks the store at its turn.
    const start = decision === undefined ? 0 : Math.max(before?.start ?? 0, this.clock()) + time
    return { start, time }
  }

  emptied(line: Line): void {
    this.#lines.forget(line)
  }

  /** Corrects counters, and lets the lines hear of it. */
  async correct(group: Group): Promise<void> {
    const sent = this.clock()
    const evaluation = await this.#store.correctInStore(group).catch(() => undefined)
    if (evaluation !== undefined) this.#lines.observe(group, evaluation, sent, this.clock())
  }

  #ask(group: Group, then: (evaluation: Evaluation | undefined) => void): void {
    const sent = this.clock()
    this.#store.ask(group, evaluation => {
      if (evaluation !== undefined) this.#lines.observe(group, evaluation, sent, this.clock())
      then(evaluation)
    })
  }
}

/** The place that an answer gives a caller. One that need not wait stands in no line, and loses nothing with it. */
function placeOf(group: Group, evaluation: Evaluation): Place {
  return evaluation.startsIn === undefined ? NOBODY_AHEAD : endOf(group, 0, evaluation)
}
