import { type Ticket, ticketIn } from '../algorithms/index.ts'
import type { Group } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { evaluationAt, ruleInForce } from './reading.ts'
import { poolAt } from './share-claim.ts'
import { asksForTicket, fewestOf } from './terms.ts'

/**
 * The ticket that a store gave with an evaluation for the demand at an index. Undefined if it gave none: the demand is about no share of
 * a bucket, passed, or had a ticket before.
 */
export function ticketOf({ demands }: Group, at: number, whole: Evaluation): Ticket | undefined {
  const demand = demands[at]!
  const evaluation = evaluationAt(whole, at)
  const pool = poolAt(demands, at)
  const state = evaluation.states[at] ?? []
  const { passes, startsIn, allowed, now } = evaluation
  if (pool < 0 || !asksForTicket(demand) || passes[at] === true) return undefined
  if (startsIn === undefined || allowed || state.length < READ || state[1]! <= now) return undefined
  return ticketIn(
    state,
    fewestOf(demand),
    ruleInForce(demands[pool]!, evaluation),
    demand.terms!.share!.weight,
  )
}

/** The length of a tag with the reading of its clock. */
const READ = 6
