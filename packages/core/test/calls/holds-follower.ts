// The model of holds, led by what the real code does.
import { type Demand, Mode } from '../../src/databases/index.ts'
import { ORIGIN } from '../line/virtual-core.ts'
import { begin, flawOf, HoldsModel, type Message, type Question, type State } from './holds-model.ts'
import { COUNT, MOST } from './holds-histories.ts'

// What is decided without the store goes by the time since the process began.
export const BEGAN = ORIGIN
export const LIMIT = 1000
const DAY_MS = 86_400_000

/** The model, led by what the real code does. */
export class Follower {
  readonly #model: HoldsModel
  readonly #micros: () => number
  state: State
  /** How often each step was made. */
  readonly made: Record<string, number>
  /** Questions that are on their way. All others wait to be sent. */
  readonly onWay = new Set<Question>()

  constructor(edgeMs: number, micros: () => number, made: Record<string, number>) {
    // Dates are whole milliseconds.
    const [edge, day] = [Math.floor(BEGAN + edgeMs) * 1000, DAY_MS * 1000]
    this.#micros = micros
    this.made = made
    this.#model = new HoldsModel({
      periodEnd: now => edge + Math.max(0, Math.floor((now - edge) / day) + 1) * day,
      // The first multiple of a power of two that is at least the whole time away. The power is at least an eighth of the time.
      holdEnd: (now, length) => {
        const slice = 2 ** Math.max(17, Math.ceil(Math.log2(length / 8)))
        return Math.ceil((now + length) / slice) * slice
      },
    })
    this.state = begin(Array.from({ length: MOST }, (_, at) => (at < COUNT ? LIMIT : 0)))
  }

  /** Makes a step of the model at this instant, and looks at all that must hold. */
  step(name: string, make: (model: HoldsModel, state: State) => State): void {
    this.made[name] = (this.made[name] ?? 0) + 1
    this.state = this.preview(make)
    const flaw = flawOf(this.state)
    if (flaw !== undefined) throw new Error(`After "${name}": ${flaw}. ${JSON.stringify(this.state)}`)
  }

  /** The state after a step. */
  preview(make: (model: HoldsModel, state: State) => State): State {
    return make(this.#model, this.#model.pass(this.state, this.#micros()))
  }

  /** Makes a step about a question that is under way. */
  about(name: 'arrive' | 'hear' | 'refuse' | 'giveUp' | 'lose', question: Question): void {
    const at = this.state.messages.findIndex(one => one.question === question)
    if (at < 0)
      throw new Error(`The model knows nothing of a question to ${name}: ${JSON.stringify(question)}`)
    const { kind } = this.state.messages[at]!
    this.step(`${name} ${kind}`, (model, state) => model[name](state, at))
  }

  isUnderWay(question: Question): boolean {
    return this.state.messages.some(one => one.question === question)
  }

  /** What a process still has to tell the store. */
  waiting(process: number): Message[] {
    return this.state.messages.filter(
      one => one.process === process && one.question.tells && !this.onWay.has(one.question),
    )
  }

  /** The units that the store must count: the end of the period, what is used, granted and held. */
  get counts(): unknown[] {
    const { now, end, used, granted, pots } = this.state
    return [end, used, granted, ...pots.flatMap(({ to, units }) => (now < to ? [to, units] : []))]
  }
}
/** A demand as a question of the model. */
export function questionOf({ mode, cost, rule, terms, chargedTo = 0 }: Demand): Partial<Question> {
  const tells = mode === Mode.SETTLE
  const claim = terms?.held && { to: terms.held.to, units: terms.held.units }
  return {
    tells,
    cost,
    least: tells ? 0 : (terms?.least ?? cost),
    length: terms?.keptFor ?? 0,
    claim,
    ...(!tells && { limit: rule.limit }),
    ...(cost < 0 && { chargedTo }),
  }
}

/** Whether a question has all that is told of it. */
export function isSame(question: Question, told: Partial<Question>): boolean {
  return Object.entries(told).every(
    ([name, value]) => JSON.stringify(question[name as keyof Question]) === JSON.stringify(value),
  )
}
/** Whether a process may tell two things in one sum: about the same units held, and the same period. */
export function isOfOnePart({ claim, cost, chargedTo }: Question, told: Partial<Question>): boolean {
  return (
    claim?.to === told.claim?.to &&
    (cost >= 0 || told.chargedTo === undefined || chargedTo === told.chargedTo)
  )
}

/** The fewest messages whose sum a process tells. */
export function thoseOfSum(waiting: readonly Message[], told: Partial<Question>): Question[] | undefined {
  let sums: Question[][] = [[]]
  while (sums.length > 0) {
    const longer: Question[][] = []
    for (const sum of sums) {
      const from = waiting.findIndex(({ question }) => question === sum.at(-1)) + 1
      for (const { question } of waiting.slice(from)) {
        const all = [...sum, question]
        const cost = all.reduce((units, one) => units + one.cost, 0)
        const claimed = all.reduce((units, { claim }) => units + (claim?.units ?? 0), 0)
        if (cost === told.cost && claimed === (told.claim?.units ?? 0)) return all
        longer.push(all)
      }
    }
    sums = longer
  }
  return undefined
}
