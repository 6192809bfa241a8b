import { algorithmOf } from './algorithms/index.ts'
import type { Grounds } from './answer.ts'
import { type Cost, givenCost } from './cost.ts'
import type { Item } from './question.ts'
import { type Demand, type Group, Mode, PenaltyMode } from './store/contract.ts'
import { ruleInForce } from './store/read.ts'

/** What has become of a charge so far. */
export interface Progress {
  readonly settled: boolean
  readonly released: boolean
}

/**
 * The group that corrects a charge to what was really used; undefined when nothing changes.
 *
 * Requests in flight are not a cost: {@link release} ends them.
 */
export function settlement(charge: Grounds, actual: Cost, { released }: Progress): Group | undefined {
  return correction(charge, (item, settle) => {
    if (item.policy.algorithm === 'concurrency') return
    const wanted = givenCost(item.policy, actual) ?? item.cost
    // What is taken at the end only was not taken yet.
    const taken = item.lease < 0 || released ? item.cost : 0
    settle(item.at, wanted - taken)
    settle(item.guard, wanted - taken)
  })
}

/** The group that ends a request in flight, and takes what it costs where that was not settled; undefined when no policy asks for it. */
export function release(charge: Grounds, { settled }: Progress): Group | undefined {
  return correction(charge, (item, settle) => {
    if (item.policy.algorithm === 'concurrency') settle(item.at, -item.cost)
    if (item.lease < 0) return
    settle(item.lease, -1)
    if (settled) return
    settle(item.at, item.cost)
    settle(item.guard, item.cost)
  })
}

function correction(
  { question, verdict }: Grounds,
  each: (item: Item, settle: (at: number, delta: number) => void) => void,
): Group | undefined {
  const demands: Demand[] = []
  const settle = (at: number, delta: number): void => {
    const demand = question.group.demands[at]
    // A shadow policy that would have refused took nothing.
    if (delta === 0 || demand === undefined || verdict.passes[at] !== true || demand.mode === Mode.PEEK)
      return
    const rule = ruleInForce(demand, verdict)
    const receipt = algorithmOf(rule).receipt(verdict.states[at] ?? [], verdict.now, rule)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: delta, receipt })
  }
  for (const item of question.items) each(item, settle)
  if (demands.length === 0) return undefined
  const { penalty } = question.group
  return { demands, penalty: penalty && { ...penalty, mode: PenaltyMode.READ } }
}

/** The counters that a charge touched. */
export function cellsOf(group: Group): { subject: string; cell: string }[] {
  return group.demands.map(({ subject, rule }) => ({ subject, cell: rule.cell }))
}
