// A server decides counters one by one, so a demand with a share is sent as two: on the pool, and behind it on the tenant's own counter.
import type { Demand, Group } from '../../store/contract.ts'
import { type Evaluation, NONE } from '../../store/evaluation.ts'
import { plainEvaluation } from '../../store/plain-groups.ts'
import { isTicketBack, ofTenant } from '../../store/terms.ts'

/** The group with one demand for each counter; the group itself if no demand has a share. */
export function flatGroup(group: Group): Group {
  const { demands, penalty, idempotency } = group
  if (!demands.some(hasShare)) return group
  return {
    demands: demands.flatMap(demand => (hasShare(demand) ? [ofPool(demand), ofTenant(demand)] : demand)),
    penalty,
    idempotency,
  }
}

/** The evaluation of a group, made of that of its {@link flatGroup}. */
export function wholeEvaluation(evaluation: Evaluation, { demands }: Group): Evaluation {
  if (!demands.some(hasShare)) return evaluation
  const { passes, starts, states, grants, ...rest } = plainEvaluation(evaluation)
  let next = 0
  // The place of each demand's counter, and of its tenant's own.
  const places = demands.map(demand => (hasShare(demand) ? [next++, next++] : [next++]) as [number, number?])
  return {
    ...rest,
    passes: places.map(ats => ats.every(at => passes[at!])),
    starts: starts.length === 0 ? starts : places.map(([at]) => starts[at]!),
    states: places.map(([at]) => states[at]!),
    shares: places.map(([, own]) => (own === undefined ? NONE : states[own]!)),
    grants: grants && places.map(([at]) => grants[at]!),
  }
}

function hasShare({ terms }: Demand): boolean {
  return terms?.share !== undefined
}

function ofPool(demand: Demand): Demand {
  const { share: _, ...terms } = demand.terms!
  const isPlain = Object.values(terms).every(term => term === undefined)
  return { ...demand, cost: isTicketBack(demand) ? 0 : demand.cost, terms: isPlain ? undefined : terms }
}
