import { algorithms, penalty as penalties, type Rule, type State } from '../algorithms/index.ts'
import {
  Mode,
  PenaltyMode,
  type Group,
  type OnceDemand,
  type PenaltyDemand,
  type Verdict,
} from './contract.ts'

/** Where {@link decide} finds and leaves the counters, all at one instant. */
export interface Cells {
  /** A copy of a counter that the caller may change; empty when there is none. */
  load(subject: string, cell: string): State
  /** Keeps a counter until `freshAt` (microseconds), from which instant it equals none. */
  keep(subject: string, cell: string, state: State, freshAt: number): void
}

/** The name of the cell that holds a subject's penalty. */
export const PENALTY_CELL = 'penalty:p'

/**
 * Decides a group: the one loop behind every store. Judges every demand, then keeps all charges, or only the cool-downs
 * that start. The penalty is read first, picks each rule's variant, and is scored after judging.
 */
export function decide(group: Group, cells: Cells, now: number): Verdict {
  const { demands, penalty, once } = group
  const offence = penalty === undefined ? [] : loadPenalty(penalty, cells, now)
  const penalized = offence.length > 0 && penalties.active(offence, now)
  const repeated = once !== undefined && seen(once, cells, now)
  const states: State[] = []
  const passes: boolean[] = []
  let allowed = true
  let refused = false

  for (let i = 0; i < demands.length; i++) {
    const demand = demands[i]!
    const rule = penalized && demand.penalized ? (demand.rule.reduced ?? demand.rule) : demand.rule
    const state = cells.load(demand.subject, rule.cell)
    const passed =
      demand.mode === Mode.SETTLE ||
      repeated ||
      (now >= blockedUntil(state) && algorithms[rule.letter].fits(state, now, demand.cost, rule))
    states.push(state)
    passes.push(passed)
    if (!passed && demand.mode !== Mode.SHADOW) {
      allowed = false
      if (demand.mode === Mode.CHARGE) refused = true
    }
  }

  for (let i = 0; i < demands.length && !repeated; i++) {
    const { subject, cost, mode, edges, receipt, penalized: reducible, rule: normal } = demands[i]!
    const rule = penalized && reducible ? (normal.reduced ?? normal) : normal
    const state = states[i]!
    if (mode === Mode.PEEK) continue
    if (!passes[i]) {
      if (!startsBlock(state, now, cost, normal)) continue
      if (state.length === 0) state.push(0, ...algorithms[rule.letter].idle(now, rule))
      state[0] = now + rule.block
    } else {
      if (!allowed || cost === 0) continue
      if (cost > 0) algorithms[rule.letter].charge(state, now, cost, rule, edges)
      else algorithms[rule.letter].refund(state, now, -cost, rule, receipt ?? 0)
      if (state.length > 0 && state[0]! <= now) state[0] = 0
    }
    if (state.length > 0) cells.keep(subject, rule.cell, state, freshAt(state, rule))
  }

  if (penalty !== undefined) scorePenalty(penalty, offence, cells, now, refused)
  if (once !== undefined && allowed && !repeated) remember(once, cells, now)
  return { now, allowed, repeated, passes, states, penalty: offence }
}

/** The instant from which a counter equals a fresh one, its cool-down included. */
export function freshAt(state: State, rule: Rule): number {
  return Math.max(blockedUntil(state), algorithms[rule.letter].freshAt(state))
}

/** The instant at which a counter's cool-down ends; 0 when it has none. */
export function blockedUntil(state: State): number {
  return state.length === 0 ? 0 : state[0]!
}

// A refusal does not extend a cool-down, and a cost that can never pass starts none.
function startsBlock(state: State, now: number, cost: number, rule: Rule): boolean {
  return rule.block > 0 && cost <= rule.capacity && now >= blockedUntil(state)
}

function loadPenalty(penalty: PenaltyDemand, cells: Cells, now: number): State {
  const state = cells.load(penalty.subject, PENALTY_CELL)
  return state.length > 0 && now >= state[5]! ? [] : state
}

function scorePenalty(
  penalty: PenaltyDemand,
  state: State,
  cells: Cells,
  now: number,
  refused: boolean,
): void {
  const { rule, mode, amount, subject } = penalty
  if (mode === PenaltyMode.RECORD) penalties.record(state, now, amount, rule)
  else if (mode === PenaltyMode.APPLY) penalties.apply(state, now, amount, rule)
  else if (mode === PenaltyMode.WATCH && refused && penalties.scores(state, now, rule)) {
    penalties.record(state, now, rule.severity, rule)
  } else return
  cells.keep(subject, PENALTY_CELL, state, state[5]!)
}

function seen(once: OnceDemand, cells: Cells, now: number): boolean {
  const state = cells.load(once.subject, once.cell)
  return state.length > 0 && now < state[0]!
}

function remember({ subject, cell, window, edges }: OnceDemand, cells: Cells, now: number): void {
  const end =
    edges === undefined ? now + window : now < edges[0] ? edges[0] : now < edges[1] ? edges[1] : edges[2]
  cells.keep(subject, cell, [end], end)
}
