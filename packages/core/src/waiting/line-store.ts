import type { Alarms } from './alarms.ts'
import type { Check } from '../check/check.ts'
import type { Evaluator } from '../check/evaluator.ts'
import type { Group } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { blockGroup, endsOf, extraGroup, leaveGroup, lookGroup, timeOf } from './in-line.ts'
import { KeptPlaces } from './kept-places.ts'
import type { Line, LineParts } from './line.ts'
import { type Lines, waitingRoom } from './lines.ts'
import type { Placed } from './placing.ts'
import type { Owed, Standing, TakenPlace } from './standing.ts'
import { ticketGroup, type Tickets } from './tickets.ts'

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

  /** Asks for news of the lines of a check. */
  look(check: Check): void {
    this.#ask(lookGroup(check), () => {})
  }

  place(callers: readonly Standing[], started: readonly number[], then: Placed): void {
    const group = blockGroup(callers, started)
    let isTold = false
    this.#ask(group, evaluation => {
      const ends = evaluation && endsOf(group, evaluation)
      // A reply that comes after its time gives places that nobody has waited for.
      then(isTold && ends !== undefined ? callers.map(withoutCaller) : callers, ends)
      isTold = true
    })
  }

  async leave(line: Line, run: readonly TakenPlace[]): Promise<void> {
    const group = leaveGroup(run)
    const evaluation = await this.#correct(group)
    if (evaluation?.allowed === false) line.keepUntilTurn(new KeptPlaces(this, line, run))
  }

  /** Gives back tickets that their caller does not use. */
  async giveBack(check: Check, tickets: Tickets): Promise<void> {
    await this.#correct(ticketGroup(check, tickets))
  }

  owedBy({ check, units }: Pick<Standing, 'check' | 'units'>): Owed {
    return { start: 0, time: timeOf(check, units) * this.#store.instances() }
  }

  emptied(line: Line): void {
    this.#lines.forget(line)
  }

  /** Charges units beside the places of a caller of a line. Those behind it wait for them at once. */
  async charge({ fronts }: Line, check: Check, units: readonly number[]): Promise<void> {
    const group = extraGroup(check, units)
    if (group === undefined) return
    for (const [i, front] of fronts.entries()) front.owe(units[i]!)
    const told = (): void => {
      for (const [i, front] of fronts.entries()) front.told(units[i]!)
    }
    await this.#correct(group, told)
  }

  /** Corrects counters, and lets the lines hear of it. @param settled called before they hear, and if the store fails */
  async #correct(group: Group, settled = (): void => {}): Promise<Evaluation | undefined> {
    const sent = this.clock()
    const evaluation = await this.#store.correctInStore(group).catch(() => undefined)
    settled()
    if (evaluation !== undefined) this.#lines.heard(group, evaluation, sent, this.clock())
    return evaluation
  }

  #ask(group: Group, then: (evaluation: Evaluation | undefined) => void): void {
    const sent = this.clock()
    this.#store.ask(group, evaluation => {
      then(evaluation)
      if (evaluation !== undefined) this.#lines.heard(group, evaluation, sent, this.clock())
    })
  }
}

/** The place of a caller that got it too late: nobody waits for it. */
function withoutCaller({ check, units }: Standing): Standing {
  return { check, units } as Standing
}
