import type { Demand, Group } from '../../store/contract.ts'
import { countsRepeats, keepsKey } from '../../store/beside-demands.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import {
  mergeEvaluations,
  type Part,
  passesOf,
  type NodeOf,
  type Send,
  splitByNode,
  withChanges,
} from './part.ts'
import { evaluateWithoutCharge, startsCoolDown, withoutRecord } from './part-hold.ts'
import { PartIdempotency } from './part-idempotency.ts'
import { scoreRefusalElsewhere, withPenaltyRules } from './part-penalty.ts'
import { refundDownTo } from './part-refund.ts'
import { commonGrants, startOverNodes, withoutTurn } from './part-terms.ts'

/**
 * Evaluates a group whose counters are on several nodes, of which each decides its own part at one instant. All nodes are asked
 * at the same time. If one refuses, the charges of the others are refunded. A concurrent request may see such a charge for one
 * round trip, so it may be refused; no request is admitted that should not be.
 *
 * That request must not start a cool-down because of it. So a node with a cool-down is evaluated without a charge first, and
 * charged by a second call after all nodes have passed. It needs no refund, unless several nodes have cool-downs and another
 * request came between the two calls.
 *
 * The idempotency key is read with the first calls and recorded by a last one, after all charges. So no request passes on the key
 * of a call that was refused. If another call has recorded it meanwhile, this one is the repeat and is refunded.
 *
 * Several nodes cannot charge a place in line together. So a group that would have to wait never gets a place: the caller asks again
 * at its start. If the nodes grant different units, those beyond the fewest are refunded.
 *
 * It rejects with the first error of a node. If some node replied, the group may be charged in part, and `inDoubt` makes the error.
 *
 * @param inDoubt makes the error of a call that may have been applied in part from the error of a node
 */
export async function evaluateAcross<N>(
  group: Group,
  nodeOf: NodeOf<N>,
  send: Send<N>,
  inDoubt: (error: unknown) => unknown,
): Promise<Evaluation> {
  const parts = splitByNode(await withPenaltyRules(group, nodeOf, send), nodeOf).map(withoutTurn)
  const evaluations: (Evaluation | undefined)[] = parts.map(() => undefined)
  const failures: unknown[] = []
  const attempt = async (call: () => Promise<void>): Promise<void> => {
    try {
      await call()
    } catch (error) {
      failures.push(error)
    }
  }
  const ask = (
    chosen: readonly Part<N>[],
    evaluate: (part: Part<N>) => Promise<Evaluation>,
  ): Promise<unknown> =>
    Promise.all(
      chosen.map(part =>
        attempt(async () => {
          const at = parts.indexOf(part)
          evaluations[at] = undefined
          evaluations[at] = await evaluate(part)
        }),
      ),
    )
  const hasPassed = (): boolean =>
    failures.length === 0 && evaluations.every(evaluation => evaluation?.allowed === true)
  const withCooldown = parts.filter(startsCoolDown)
  const withoutCooldown = parts.filter(part => !withCooldown.includes(part))
  const idempotency = new PartIdempotency(group, nodeOf, send)
  await Promise.all([
    ask(withoutCooldown, ({ node, group: own }) => send(node, own)),
    ask(withCooldown, part => evaluateWithoutCharge(part, send)),
    attempt(() => idempotency.check()),
  ])
  const charged = [...withoutCooldown]
  if (withCooldown.length > 0 && hasPassed() && !idempotency.repeated) {
    charged.push(...withCooldown)
    await ask(withCooldown, ({ node, group: own }) => send(node, withoutRecord(own)))
  }
  const passed = hasPassed()
  // A record without a reply may have been made, so the charges stand.
  if (passed && !idempotency.repeated && keepsKey(group, passesOf(parts, evaluations)))
    await attempt(() => idempotency.record())
  const isCharged = passed && !idempotency.repeated
  const allowed = passed || idempotency.repeated
  const grants = allowed ? commonGrants(group, parts, evaluations) : undefined
  if (!isCharged || grants !== undefined)
    await Promise.all(
      charged.map(async part => {
        const at = parts.indexOf(part)
        const kept = part.indexes.map(index => (isCharged ? (grants?.[index] ?? 0) : 0))
        evaluations[at] = await refundDownTo(kept, part, evaluations[at], send)
      }),
    )
  if (failures.length > 0)
    throw evaluations.some(evaluation => evaluation !== undefined) ? inDoubt(failures[0]) : failures[0]
  const startsIn = allowed ? undefined : startOverNodes(evaluations as Evaluation[])
  if (!allowed && startsIn === undefined) await scoreRefusalElsewhere(group, parts, evaluations, send)
  const { repeated } = idempotency
  const merged = mergeEvaluations(parts, evaluations as Evaluation[], allowed, repeated)
  const whole = { ...merged, startsIn, grants }
  return repeated ? takeLeases(whole, group, nodeOf, send, inDoubt) : whole
}

/** Takes the permits of a repeated call, whose other charges were refunded: a repeat is in flight like any request. */
async function takeLeases<N>(
  whole: Evaluation,
  group: Group,
  nodeOf: NodeOf<N>,
  send: Send<N>,
  inDoubt: (error: unknown) => unknown,
): Promise<Evaluation> {
  const indexes = [...group.demands.keys()].filter(at => countsRepeats((group.demands[at] as Demand).rule))
  if (indexes.length === 0) return whole
  const demands = indexes.map(at => group.demands[at] as Demand)
  const taken = await evaluateAcross({ demands, penalty: group.penalty }, nodeOf, send, inDoubt)
  const put = <T>(list: readonly T[], from: readonly T[], none: T): T[] =>
    group.demands.map((_, at) => (indexes.includes(at) ? from[indexes.indexOf(at)] : list[at]) ?? none)
  return withChanges(whole, {
    now: Math.max(whole.now, taken.now),
    allowed: taken.allowed,
    passes: put(whole.passes, taken.passes, false),
    starts: put(whole.starts, taken.starts, false),
    states: put(whole.states, taken.states, []),
    shares: put(whole.shares ?? [], taken.shares ?? [], []),
    instants: put(whole.instants ?? [], taken.instants ?? [], taken.now),
    penalty: taken.penalty,
    startsIn: taken.startsIn,
  })
}
