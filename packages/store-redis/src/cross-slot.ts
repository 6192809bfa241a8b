import {
  countsRepeats,
  type Demand,
  type Group,
  Mode,
  PENALTY_COUNTER,
  PenaltyMode,
  type Evaluation,
} from '@halt/core/store'

import { inDoubt } from './connection/index.ts'
import { type KeyWriter, slotOf } from './keys.ts'
import { ClusterIdempotency } from './cluster-idempotency.ts'
import { mergeEvaluations, type SendToSlot, type SlotGroup, splitBySlot, withChanges } from './slot-groups.ts'
import { scoreRefusalInOtherSlot, withPenaltyRules } from './slot-penalty.ts'
import { refundDownTo } from './slot-refund.ts'
import { commonGrants, startOverSlots, withoutPlace } from './slot-terms.ts'

/** The hash slots of all keys of a group. */
export function slotsOf({ demands, penalty, idempotency }: Group, key: KeyWriter): number[] {
  const slots = new Set(demands.map(({ subject, rule }) => slotOf(key(subject, rule.counter))))
  if (penalty !== undefined) slots.add(slotOf(key(penalty.subject, PENALTY_COUNTER)))
  if (idempotency !== undefined) slots.add(slotOf(key(idempotency.subject, idempotency.counter)))
  return [...slots]
}

/**
 * Evaluates a group whose keys are in several hash slots. All slots are asked at the same time. If one refuses, the charges
 * of the others are refunded. A concurrent request may see such a charge for one round trip.
 *
 * That request must not start a cool-down because of it. So a slot with a cool-down is evaluated without a charge first,
 * and charged by a second call after all slots have passed. It needs no refund, unless several slots have cool-downs and
 * another request came between the two calls.
 *
 * The idempotency key is read with the first calls and recorded by a last one, after all charges. So no request passes on
 * the key of a call that was refused. If another call has recorded it meanwhile, this one is the repeat and is refunded.
 *
 * Several slots cannot charge a place in line together. So a group that would have to wait is never placed: the caller asks
 * again at its start. If the slots grant different units, what exceeds the fewest is refunded.
 */
export async function evaluateAcrossSlots(
  group: Group,
  key: KeyWriter,
  send: SendToSlot,
): Promise<Evaluation> {
  const slotGroups = splitBySlot(await withPenaltyRules(group, key, send), key).map(withoutPlace)
  const evaluations: (Evaluation | undefined)[] = []
  const failures: unknown[] = []
  const attempt = async (call: () => Promise<void>): Promise<void> => {
    try {
      await call()
    } catch (error) {
      failures.push(error)
    }
  }
  const ask = (
    chosen: readonly SlotGroup[],
    evaluate: (slotGroup: SlotGroup) => Promise<Evaluation>,
  ): Promise<unknown> =>
    Promise.all(
      chosen.map(slotGroup =>
        attempt(async () => {
          const at = slotGroups.indexOf(slotGroup)
          evaluations[at] = undefined
          evaluations[at] = await evaluate(slotGroup)
        }),
      ),
    )
  const hasPassed = (): boolean =>
    failures.length === 0 && evaluations.every(evaluation => evaluation?.allowed === true)
  const withCooldown = slotGroups.filter(startsCoolDown)
  const withoutCooldown = slotGroups.filter(slotGroup => !withCooldown.includes(slotGroup))
  const idempotency = new ClusterIdempotency(group, key, send)
  await Promise.all([
    ask(withoutCooldown, ({ slot, group: own }) => send(slot, own)),
    ask(withCooldown, slotGroup => evaluateWithoutCharge(slotGroup, send)),
    attempt(() => idempotency.check()),
  ])
  const chargedGroups = [...withoutCooldown]
  if (withCooldown.length > 0 && hasPassed() && !idempotency.repeated) {
    chargedGroups.push(...withCooldown)
    await ask(withCooldown, ({ slot, group: own }) => send(slot, withoutRecord(own)))
  }
  const passed = hasPassed()
  // A record without a reply may have been made, so the charges stand.
  if (passed && !idempotency.repeated) await attempt(() => idempotency.record())
  const isCharged = passed && !idempotency.repeated
  const allowed = passed || idempotency.repeated
  const grants = allowed ? commonGrants(group, slotGroups, evaluations) : undefined
  if (!isCharged || grants !== undefined)
    await Promise.all(
      chargedGroups.map(slotGroup => {
        const kept = slotGroup.indexes.map(index => (isCharged ? (grants?.[index] ?? 0) : 0))
        return refundDownTo(kept, slotGroup, evaluations, slotGroups.indexOf(slotGroup), send)
      }),
    )
  // If some slot replied, the group may be charged in part, so the error must not say that nothing was done.
  if (failures.length > 0)
    throw evaluations.some(evaluation => evaluation !== undefined) ? inDoubt(failures[0]) : failures[0]
  const startsIn = allowed ? undefined : startOverSlots(evaluations as Evaluation[])
  if (!allowed && startsIn === undefined) await scoreRefusalInOtherSlot(group, slotGroups, evaluations, send)
  const merged = mergeEvaluations(
    group,
    slotGroups,
    evaluations as Evaluation[],
    allowed,
    idempotency.repeated,
  )
  const whole = { ...merged, startsIn, grants }
  return idempotency.repeated ? takeLeases(whole, group, key, send) : whole
}

/** Takes the leases of a repeated call, whose other charges were refunded: a repeat is in flight like any request. */
async function takeLeases(
  whole: Evaluation,
  group: Group,
  key: KeyWriter,
  send: SendToSlot,
): Promise<Evaluation> {
  const indexes = [...group.demands.keys()].filter(at => countsRepeats((group.demands[at] as Demand).rule))
  if (indexes.length === 0) return whole
  const demands = indexes.map(at => group.demands[at] as Demand)
  const taken = await evaluateAcrossSlots({ demands, penalty: group.penalty }, key, send)
  const put = <T>(list: readonly T[], from: readonly T[], none: T): T[] =>
    group.demands.map((_, at) => (indexes.includes(at) ? from[indexes.indexOf(at)] : list[at]) ?? none)
  return withChanges(whole, {
    now: Math.max(whole.now, taken.now),
    allowed: taken.allowed,
    passes: put(whole.passes, taken.passes, false),
    starts: put(whole.starts, taken.starts, false),
    states: put(whole.states, taken.states, []),
    instants: put(whole.instants ?? [], taken.instants ?? [], taken.now),
    penalty: taken.penalty,
    startsIn: taken.startsIn,
  })
}

function startsCoolDown({ group }: SlotGroup): boolean {
  return group.demands.some(({ mode, cost, rule }) => mode === Mode.CHARGE && cost > 0 && rule.cooldown > 0)
}

/** Evaluates the demands of one slot without charging them. A second call reads the shadow demands, which refuse nobody. */
async function evaluateWithoutCharge({ slot, group }: SlotGroup, send: SendToSlot): Promise<Evaluation> {
  const isShadow = ({ mode }: Demand): boolean => mode === Mode.SHADOW
  const held = group.demands
    .filter(demand => !isShadow(demand))
    .map(demand => (demand.mode === Mode.CHARGE ? { ...demand, mode: Mode.HOLD } : demand))
  const shadows = group.demands.filter(isShadow).map(demand => ({ ...demand, mode: Mode.PEEK }))
  const [own, seen] = await Promise.all([
    send(slot, { ...group, demands: held }),
    shadows.length === 0 ? undefined : send(slot, { demands: shadows, penalty: readOnly(group.penalty) }),
  ])
  if (seen === undefined) return own
  const indexes = { own: 0, seen: 0 }
  const from = group.demands.map(demand =>
    isShadow(demand) ? ([seen, indexes.seen++] as const) : ([own, indexes.own++] as const),
  )
  return withChanges(own, {
    passes: from.map(([evaluation, at]) => evaluation.passes[at] === true),
    starts: from.map(([evaluation, at]) => evaluation.starts[at] === true),
    states: from.map(([evaluation, at]) => evaluation.states[at] ?? []),
    grants: undefined,
  })
}

function readOnly(penalty: Group['penalty']): Group['penalty'] {
  return penalty && { ...penalty, mode: PenaltyMode.READ }
}

// The violation was recorded by the call without a charge.
function withoutRecord(group: Group): Group {
  const { penalty } = group
  return penalty === undefined || penalty.mode === PenaltyMode.WATCH
    ? group
    : { ...group, penalty: readOnly(penalty) }
}
