import {
  abuseScore,
  algorithms,
  countsRepeats,
  type Demand,
  type Group,
  Mode,
  PENALTY_COUNTER,
  PenaltyMode,
  ruleInForce,
  type Evaluation,
} from '@halt/core/store'

import { inDoubt } from './connection/index.ts'
import { type KeyWriter, slotOf } from './keys.ts'
import { OnceKeeper } from './once-keeper.ts'
import { merge, type Part, split } from './parts.ts'

/** The hash slots that a group touches. */
export function slotsOf({ demands, penalty, idempotency: once }: Group, key: KeyWriter): number[] {
  const slots = new Set(demands.map(({ subject, rule }) => slotOf(key(subject, rule.counter))))
  if (penalty !== undefined) slots.add(slotOf(key(penalty.subject, PENALTY_COUNTER)))
  if (once !== undefined) slots.add(slotOf(key(once.subject, once.counter)))
  return [...slots]
}

type Send = (slot: number, part: Group) => Promise<Evaluation>

/**
 * Decides a group whose keys are in several hash slots: each part in its slot, at the same time, and what was charged
 * is given back when another part refuses. A concurrent request may see that charge for one round trip.
 *
 * It must not start a cool-down by it. So a part that has one is only judged at first, and charged by a second call when
 * all have passed: nothing is given back to it, unless several parts have cool-downs and were overtaken in between.
 *
 * An idempotency key is looked for at first, and noted by a last call when all are charged: nobody passes on the key of a
 * call that is refused after all. Where another call has noted it meanwhile, this one was the second, and all is given back.
 */
export async function decideAcross(group: Group, key: KeyWriter, send: Send): Promise<Evaluation> {
  const parts = split(await underPenalty(group, key, send), key)
  const verdicts: (Evaluation | undefined)[] = []
  const failures: unknown[] = []
  const attempt = async (call: () => Promise<void>): Promise<void> => {
    try {
      await call()
    } catch (error) {
      failures.push(error)
    }
  }
  const ask = (chosen: readonly Part[], form: (part: Part) => Promise<Evaluation>): Promise<unknown> =>
    Promise.all(
      chosen.map(part =>
        attempt(async () => {
          const at = parts.indexOf(part)
          verdicts[at] = undefined
          verdicts[at] = await form(part)
        }),
      ),
    )
  const hasPassed = (): boolean =>
    failures.length === 0 && verdicts.every(evaluation => evaluation?.allowed === true)
  const wary = parts.filter(startsCoolDown)
  const others = parts.filter(part => !wary.includes(part))
  const keep = new OnceKeeper(group, key, send)
  await Promise.all([
    ask(others, ({ slot, group: part }) => send(slot, part)),
    ask(wary, part => judge(part, send)),
    attempt(() => keep.look()),
  ])
  const charged = [...others]
  if (wary.length > 0 && hasPassed() && !keep.repeated) {
    charged.push(...wary)
    await ask(wary, ({ slot, group: part }) => send(slot, withoutRecord(part)))
  }
  const passed = hasPassed()
  // What got no answer may have been noted: the charge stands.
  if (passed && !keep.repeated) await attempt(() => keep.note())
  if (!passed || keep.repeated)
    await Promise.all(charged.map(part => giveBack(part, verdicts, parts.indexOf(part), send)))
  // One slot has done its part, another has not: of the whole nobody can say that nothing was done.
  if (failures.length > 0)
    throw verdicts.some(evaluation => evaluation !== undefined) ? inDoubt(failures[0]) : failures[0]
  if (!passed && !keep.repeated) await scoreElsewhere(group, parts, verdicts, send)
  const whole = merge(group, parts, verdicts as Evaluation[], passed || keep.repeated, keep.repeated)
  return keep.repeated ? inFlight(whole, group, key, send) : whole
}

/** A repeated call, whose charges were given back, takes its places in flight like any other. */
async function inFlight(whole: Evaluation, group: Group, key: KeyWriter, send: Send): Promise<Evaluation> {
  const places = [...group.demands.keys()].filter(at => countsRepeats((group.demands[at] as Demand).rule))
  if (places.length === 0) return whole
  const demands = places.map(at => group.demands[at] as Demand)
  const taken = await decideAcross({ demands, penalty: group.penalty }, key, send)
  const put = <T>(list: readonly T[], from: readonly T[], none: T): T[] =>
    group.demands.map((_, at) => (places.includes(at) ? from[places.indexOf(at)] : list[at]) ?? none)
  return {
    ...whole,
    now: Math.max(whole.now, taken.now),
    allowed: taken.allowed,
    passes: put(whole.passes, taken.passes, false),
    starts: put(whole.starts, taken.starts, false),
    states: put(whole.states, taken.states, []),
    instants: put(whole.instants ?? [], taken.instants ?? [], taken.now),
    penalty: taken.penalty,
  }
}

/** The group by the rules of its penalty, where that is in another slot than what it applies to: asked for first. */
async function underPenalty(group: Group, key: KeyWriter, send: Send): Promise<Group> {
  const { penalty } = group
  if (penalty === undefined) return group
  const slot = slotOf(key(penalty.subject, PENALTY_COUNTER))
  const isElsewhere = ({ penalized, subject, rule }: Demand): boolean =>
    penalized && slotOf(key(subject, rule.counter)) !== slot
  if (!group.demands.some(isElsewhere)) return group
  const evaluation = await send(slot, { demands: [], penalty: { ...penalty, mode: PenaltyMode.READ } })
  const demands = group.demands.map(demand =>
    isElsewhere(demand) ? { ...demand, rule: ruleInForce(demand, evaluation) } : demand,
  )
  return { ...group, demands }
}

function startsCoolDown({ group }: Part): boolean {
  return group.demands.some(({ mode, cost, rule }) => mode === Mode.CHARGE && cost > 0 && rule.cooldown > 0)
}

/** What a part would say, charged nothing yet. What only reports is looked at beside it: it refuses nobody. */
async function judge({ slot, group }: Part, send: Send): Promise<Evaluation> {
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
  const places = { own: 0, seen: 0 }
  const from = group.demands.map(demand =>
    isShadow(demand) ? ([seen, places.seen++] as const) : ([own, places.own++] as const),
  )
  return {
    ...own,
    passes: from.map(([evaluation, at]) => evaluation.passes[at] === true),
    starts: from.map(([evaluation, at]) => evaluation.starts[at] === true),
    states: from.map(([evaluation, at]) => evaluation.states[at] ?? []),
  }
}

function readOnly(penalty: Group['penalty']): Group['penalty'] {
  return penalty && { ...penalty, mode: PenaltyMode.READ }
}

// It was recorded when the part was judged.
function withoutRecord(group: Group): Group {
  const { penalty } = group
  return penalty === undefined || penalty.mode === PenaltyMode.WATCH
    ? group
    : { ...group, penalty: readOnly(penalty) }
}

async function giveBack(part: Part, verdicts: (Evaluation | undefined)[], i: number, send: Send): Promise<void> {
  const evaluation = verdicts[i]
  if (evaluation === undefined || !evaluation.allowed) return
  const demands: Demand[] = []
  const places: number[] = []
  for (const [at, demand] of part.group.demands.entries()) {
    const isTaken = demand.mode === Mode.CHARGE || demand.mode === Mode.SHADOW
    if (!isTaken || demand.cost <= 0 || evaluation.passes[at] !== true) continue
    const rule = ruleInForce(demand, evaluation)
    const receipt = algorithms[rule.code].chargedTo(evaluation.states[at] ?? [], evaluation.now, rule)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: -demand.cost, chargedTo: receipt })
    places.push(at)
  }
  if (demands.length === 0) return
  const refunded = await send(part.slot, { demands })
  const states = [...evaluation.states]
  for (const [n, at] of places.entries()) states[at] = refunded.states[n] ?? []
  verdicts[i] = { ...evaluation, states }
}

// The penalty's part sees only refusals of its own slot: one elsewhere is scored by a call of its own.
async function scoreElsewhere(
  group: Group,
  parts: readonly Part[],
  verdicts: (Evaluation | undefined)[],
  send: Send,
): Promise<void> {
  const { penalty } = group
  const at = parts.findIndex(part => part.group.penalty !== undefined)
  const part = parts[at]
  const evaluation = verdicts[at]
  if (
    penalty === undefined ||
    penalty.mode !== PenaltyMode.WATCH ||
    part === undefined ||
    evaluation === undefined ||
    !evaluation.allowed
  )
    return
  const { rule } = penalty
  if (!abuseScore.scores(evaluation.penalty, evaluation.now, rule)) return
  const record = { ...penalty, mode: PenaltyMode.RECORD, amount: rule.severity }
  const scored = await send(part.slot, { demands: [], penalty: record })
  verdicts[at] = { ...evaluation, penalty: scored.penalty }
}
