import { algorithms } from './algorithms/index.ts'
import type { Charge } from './answer.ts'
import { type Cost, givenCost } from './cost.ts'
import { type Demand, type Group, Mode, PenaltyMode } from './store/contract.ts'
import { ruleInForce } from './store/read.ts'

/**
 * The group that corrects a charge to what was really used; undefined when nothing changes.
 *
 * Requests in flight are not a cost: {@link release} ends them.
 */
export function settlement(charge: Charge, actual: Cost): Group | undefined {
  return correction(charge, (item, charged) => {
    if (item.algorithm === 'concurrency') return charged
    return givenCost(item, actual) ?? charged
  })
}

/** The group that ends a request in flight; undefined when no policy counts those. */
export function release(charge: Charge): Group | undefined {
  return correction(charge, (item, charged) => (item.algorithm === 'concurrency' ? 0 : charged))
}

type Policy = Charge['question']['items'][number]['policy']

function correction({ question, verdict }: Charge, wanted: (policy: Policy, charged: number) => number): Group | undefined {
  const demands: Demand[] = []
  const settle = (at: number, delta: number): void => {
    const demand = question.group.demands[at]
    // A shadow policy that would have refused took nothing.
    if (demand === undefined || verdict.passes[at] !== true || demand.mode === Mode.PEEK) return
    const rule = ruleInForce(demand, verdict)
    const receipt = algorithms[rule.letter].receipt(verdict.states[at] ?? [], verdict.now, rule)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: delta, receipt })
  }
  for (const item of question.items) {
    const delta = wanted(item.policy, item.cost) - item.cost
    if (delta === 0) continue
    settle(item.at, delta)
    settle(item.guard, delta)
  }
  if (demands.length === 0) return undefined
  const { penalty } = question.group
  return { demands, penalty: penalty && { ...penalty, mode: PenaltyMode.READ } }
}

/** The counters that a charge touched. */
export function cellsOf(group: Group): { subject: string; cell: string }[] {
  return group.demands.map(({ subject, rule }) => ({ subject, cell: rule.cell }))
}
