import { type Ticket, ticketIn } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { evaluationAt, ruleInForce } from './reading.ts'
import { poolAt } from './shares.ts'

/**
 * The ticket that a store gave with an evaluation for the demand at an index. Undefined if it gave none: the demand is about no share of
 * a bucket, passed, or had a ticket before.
 */
export function ticketOf({ demands }: Group, at: number, whole: Evaluation): Ticket | undefined {
  const { cost, terms } = demands[at]!
  const evaluation = evaluationAt(whole, at)
  const pool = poolAt(demands, at)
  const state = evaluation.states[at] ?? []
  const { passes, startsIn, allowed, now } = evaluation
  if (pool < 0 || !asksForTicket(demands[at]!) || passes[at] === true) return undefined
  if (startsIn === undefined || allowed || state.length < READ || state[1]! <= now) return undefined
  return ticketIn(state, terms!.least ?? cost, ruleInForce(demands[pool]!, evaluation), terms!.share!.weight)
}

/** Whether a demand gets a ticket where its turn has not come. */
function asksForTicket({ mode, terms }: Demand): boolean {
  return mode === Mode.CHARGE && Boolean(terms?.maxWait) && terms?.share?.wantsTicket === true
}

/** The length of a tag with the reading of its clock. */
const READ = 6
