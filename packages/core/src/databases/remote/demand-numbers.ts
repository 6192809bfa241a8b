import { type AlgorithmCode, type Layout, type PenaltyRule, algorithms } from '../../algorithms/index.ts'
import type { Demand, Group, Terms } from '../../store/contract.ts'
import { isPlainGroup, plainEvaluation } from '../../store/known-groups.ts'
import { type Evaluation, NONE } from '../../store/evaluation.ts'
import { isTicketBack, ofTenant } from '../../store/terms.ts'

// The compiler asks for the kind of a new layout. Each server that decides by itself has its arithmetic.
const KINDS: Readonly<Record<Layout, number>> = { bucket: 0, window: 1, 'sub-windows': 2, tag: 4 }
// Sub-windows of requests in flight, because a repeated call takes a permit of its own.
const IN_FLIGHT = 3

/** The kind of a token bucket. */
export const BUCKET: number = KINDS.bucket
/** The kind of a fixed window and of a quota. */
export const WINDOW: number = KINDS.window
/** The kind of a tenant's share of a token bucket. */
export const TAG: number = KINDS.tag

/** The kind of arithmetic of each algorithm, as a number that is sent to a server. */
export const ALGORITHM_KINDS: Readonly<Record<AlgorithmCode, number>> = Object.fromEntries(
  Object.entries(algorithms).map(([code, { layout, isFlight }]) => [
    code,
    isFlight ? IN_FLIGHT : KINDS[layout],
  ]),
) as Record<AlgorithmCode, number>

/** Whether a group is the charge of one bucket and nothing else, the commonest. */
export function isLoneBucket(group: Group): boolean {
  return group.demands.length === 1 && group.demands[0]!.rule.code === 't' && isPlainGroup(group)
}

/** The numbers of a penalty's rule, in the order in which a server reads them. */
export function penaltyNumbers(rule: PenaltyRule): number[] {
  const { threshold, duration, decay, severity, cooldown, factor, maxDuration } = rule
  return [threshold, duration, decay, severity, cooldown, factor, maxDuration]
}

/**
 * The numbers of a demand's terms, in the order in which a server reads them: the longest wait, the fewest units or -1, the share left
 * to others, how long the units are kept, the receipt, and the weight of the tenant; 0 for a counter that is no tenant's own.
 */
export function termNumbers({ terms }: Demand): number[] {
  const { maxWait = 0, least = -1, headroom = 0, keptFor = 0, share, ...receipts } = terms!
  // A server tells waits in whole microseconds.
  const receipt = receiptNumbers(receipts, share)
  return [Math.floor(maxWait), least, headroom, keptFor, ...receipt, share?.weight ?? 0]
}

/**
 * What a caller has in a counter already, as two numbers: of a bucket its place and the id of the line, of a quota the end and the
 * number of the units that it holds, of a share its ticket and the clock of that. The first is -1 for nothing, -2 where a ticket is wanted.
 */
function receiptNumbers({ place, held }: Terms, share: Terms['share']): [number, number] {
  if (place !== undefined) return [place.position, place.born]
  if (held !== undefined) return [held.to, held.units]
  const { tag = share?.wantsTicket === true ? -2 : -1, epoch = 0 } = share?.ticket ?? {}
  return [tag, epoch]
}

// A server decides counters one by one, so a demand with a share is sent as two: on the pool, and behind it on the tenant's own counter.

/** The groups with one demand for each counter; the groups themselves if no demand has a share. */
export function flatGroups(groups: readonly Group[]): readonly Group[] {
  if (!groups.some(hasShares)) return groups
  return groups.map(({ demands, penalty, idempotency }) => ({
    demands: demands.flatMap(demand => (hasShare(demand) ? [ofPool(demand), ofTenant(demand)] : demand)),
    penalty,
    idempotency,
  }))
}

/** The answers about groups, made of those about their {@link flatGroups}. */
export function wholeAnswers<E extends Error>(
  answers: readonly (Evaluation | E)[],
  groups: readonly Group[],
): readonly (Evaluation | E)[] {
  if (!groups.some(hasShares)) return answers
  return answers.map((answer, i) => (answer instanceof Error ? answer : whole(answer, groups[i]!)))
}

function whole(evaluation: Evaluation, { demands }: Group): Evaluation {
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

function hasShares({ demands }: Group): boolean {
  return demands.some(hasShare)
}

function hasShare({ terms }: Demand): boolean {
  return terms?.share !== undefined
}

function ofPool(demand: Demand): Demand {
  const { share: _, ...terms } = demand.terms!
  const isPlain = Object.values(terms).every(term => term === undefined)
  return { ...demand, cost: isTicketBack(demand) ? 0 : demand.cost, terms: isPlain ? undefined : terms }
}
