import { type Ticket, ticketIn } from '../algorithms/index.ts'
import type { Group } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { evaluationAt, isShareDue, ruleInForce } from './reading.ts'
import { asksForTicket, fewestOf } from './terms.ts'

/**
 * The ticket that a store gave with an evaluation for the demand at an index. Undefined if it gave none: the demand has no share of a
 * bucket, its turn has come, or it had a ticket before.
 */
export function ticketOf({ demands }: Group, at: number, evaluation: Evaluation): Ticket | undefined {
  const demand = demands[at]!
  const state = evaluation.shares?.[at] ?? []
  const { startsIn, allowed } = evaluation
  if (!asksForTicket(demand) || isShareDue(demand, at, evaluation)) return undefined
  if (startsIn === undefined || allowed || state.length < READ) return undefined
  if (state[1]! <= evaluationAt(evaluation, at).now) return undefined
  return ticketIn(state, fewestOf(demand), ruleInForce(demand, evaluation), demand.terms!.share!.weight)
}

/** The length of a tag with the reading of its clock. */
const READ = 6
