import {
  penalty as penalties,
  algorithms,
  type Cell,
  type Demand,
  type Group,
  Mode,
  PENALTY_CELL,
  PenaltyMode,
  ruleInForce,
  type Verdict,
} from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'
import { merge, type Part, split } from './parts.ts'

/** The hash slots that a group touches. */
export function slotsOf({ demands, penalty, once }: Group, key: KeyWriter): number[] {
  const slots = new Set(demands.map(({ subject, rule }) => slotOf(key(subject, rule.cell))))
  if (penalty !== undefined) slots.add(slotOf(key(penalty.subject, PENALTY_CELL)))
  if (once !== undefined) slots.add(slotOf(key(once.subject, once.cell)))
  return [...slots]
}

/**
 * Decides a group whose keys are in several hash slots: each part in its slot, at the same time, and what was charged
 * is given back when another part refuses. A concurrent request may see that charge for one round trip.
 *
 * It must not start a cool-down by it. So a part that has one is only judged at first, and charged by a second call when
 * all have passed: nothing is given back to it, unless several parts have cool-downs and were overtaken in between.
 */
export async function decideAcross(
  group: Group,
  key: KeyWriter,
  send: (slot: number, part: Group) => Promise<Verdict>,
  forget: (cells: readonly Cell[]) => Promise<void>,
): Promise<Verdict> {
  const parts = split(await underPenalty(group, key, send), key)
  const verdicts: (Verdict | undefined)[] = []
  const failures: unknown[] = []
  const ask = (chosen: readonly Part[], form: (part: Group) => Group): Promise<unknown> =>
    Promise.all(
      chosen.map(async part => {
        const at = parts.indexOf(part)
        verdicts[at] = undefined
        try {
          verdicts[at] = await send(part.slot, form(part.group))
        } catch (error) {
          failures.push(error)
        }
      }),
    )
  const hasPassed = (): boolean =>
    failures.length === 0 && verdicts.every(verdict => verdict?.allowed === true)
  const wary = parts.filter(startsCoolDown)
  const others = parts.filter(part => !wary.includes(part))
  await Promise.all([ask(others, part => part), ask(wary, judged)])
  const repeated = verdicts.some(verdict => verdict?.repeated === true)
  const charged = [...others]
  if (wary.length > 0 && hasPassed() && !repeated) {
    charged.push(...wary)
    // Its idempotency key was noted when it was judged.
    await ask(wary, part => ({ ...part, once: undefined }))
  }
  const allowed = failures.length === 0 && (repeated || hasPassed())
  if (!allowed || repeated)
    await Promise.all(charged.map(part => giveBack(part, verdicts, parts.indexOf(part), send)))
  if (failures.length > 0) throw failures[0]
  if (!allowed) {
    // A refused call leaves no record of its idempotency key.
    if (group.once !== undefined) await forget([group.once])
    await scoreElsewhere(group, parts, verdicts, send)
  }
  return merge(group, parts, verdicts as Verdict[], allowed)
}

/** The group by the rules of its penalty, where that is in another slot than what it applies to: asked for first. */
async function underPenalty(
  group: Group,
  key: KeyWriter,
  send: (slot: number, part: Group) => Promise<Verdict>,
): Promise<Group> {
  const { penalty } = group
  if (penalty === undefined) return group
  const slot = slotOf(key(penalty.subject, PENALTY_CELL))
  const isElsewhere = ({ penalized, subject, rule }: Demand): boolean =>
    penalized && slotOf(key(subject, rule.cell)) !== slot
  if (!group.demands.some(isElsewhere)) return group
  const verdict = await send(slot, { demands: [], penalty: { ...penalty, mode: PenaltyMode.READ } })
  const demands = group.demands.map(demand =>
    isElsewhere(demand) ? { ...demand, rule: ruleInForce(demand, verdict) } : demand,
  )
  return { ...group, demands }
}

function startsCoolDown({ group }: Part): boolean {
  return group.demands.some(({ mode, cost, rule }) => mode === Mode.CHARGE && cost > 0 && rule.block > 0)
}

/** The same group, charged nothing yet. */
function judged(group: Group): Group {
  const demands = group.demands.map(demand => ({
    ...demand,
    mode: demand.mode === Mode.CHARGE ? Mode.HOLD : demand.mode === Mode.SHADOW ? Mode.PEEK : demand.mode,
  }))
  return { ...group, demands }
}

async function giveBack(
  part: Part,
  verdicts: (Verdict | undefined)[],
  i: number,
  send: (slot: number, part: Group) => Promise<Verdict>,
): Promise<void> {
  const verdict = verdicts[i]
  if (verdict === undefined || !verdict.allowed || verdict.repeated) return
  const demands: Demand[] = []
  const places: number[] = []
  for (const [at, demand] of part.group.demands.entries()) {
    if (demand.mode === Mode.PEEK || demand.cost <= 0 || verdict.passes[at] !== true) continue
    const rule = ruleInForce(demand, verdict)
    const receipt = algorithms[rule.letter].receipt(verdict.states[at] ?? [], verdict.now, rule)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: -demand.cost, receipt })
    places.push(at)
  }
  if (demands.length === 0) return
  const refunded = await send(part.slot, { demands })
  const states = [...verdict.states]
  for (const [n, at] of places.entries()) states[at] = refunded.states[n] ?? []
  verdicts[i] = { ...verdict, states }
}

// The penalty's part sees only refusals of its own slot: one elsewhere is scored by a call of its own.
async function scoreElsewhere(
  group: Group,
  parts: readonly Part[],
  verdicts: (Verdict | undefined)[],
  send: (slot: number, part: Group) => Promise<Verdict>,
): Promise<void> {
  const { penalty } = group
  const at = parts.findIndex(part => part.group.penalty !== undefined)
  const part = parts[at]
  const verdict = verdicts[at]
  if (
    penalty === undefined ||
    penalty.mode !== PenaltyMode.WATCH ||
    part === undefined ||
    verdict === undefined ||
    !verdict.allowed
  )
    return
  const { rule } = penalty
  if (!penalties.scores(verdict.penalty, verdict.now, rule)) return
  const record = { ...penalty, mode: PenaltyMode.RECORD, amount: rule.severity }
  const scored = await send(part.slot, { demands: [], penalty: record })
  verdicts[at] = { ...verdict, penalty: scored.penalty }
}
