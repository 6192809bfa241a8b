import { type Demand, type Group, Mode, PenaltyMode } from '../../store/contract.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { type Part, type Send, withChanges } from './part.ts'

/** Whether a refusal of a part may start a cool-down. */
export function startsCoolDown<N>({ group }: Part<N>): boolean {
  return group.demands.some(({ mode, cost, rule }) => mode === Mode.CHARGE && cost > 0 && rule.cooldown > 0)
}

/** Evaluates a part without charging it. A second call reads the shadow demands, which refuse nobody. */
export async function evaluateWithoutCharge<N>({ node, group }: Part<N>, send: Send<N>): Promise<Evaluation> {
  const isShadow = ({ mode }: Demand): boolean => mode === Mode.SHADOW
  const held = group.demands
    .filter(demand => !isShadow(demand))
    .map(demand => (demand.mode === Mode.CHARGE ? { ...demand, mode: Mode.DEFER } : demand))
  const shadows = group.demands.filter(isShadow).map(demand => ({ ...demand, mode: Mode.PEEK }))
  const [own, seen] = await Promise.all([
    send(node, { ...group, demands: held }),
    shadows.length === 0 ? undefined : send(node, { demands: shadows, penalty: readOnly(group.penalty) }),
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
    shares: from.map(([evaluation, at]) => evaluation.shares?.[at] ?? []),
    grants: undefined,
  })
}

/** A part after {@link evaluateWithoutCharge}, which has recorded its violation. */
export function withoutRecord(group: Group): Group {
  const { penalty } = group
  return penalty === undefined || penalty.mode === PenaltyMode.WATCH
    ? group
    : { ...group, penalty: readOnly(penalty) }
}

function readOnly(penalty: Group['penalty']): Group['penalty'] {
  return penalty && { ...penalty, mode: PenaltyMode.READ }
}
