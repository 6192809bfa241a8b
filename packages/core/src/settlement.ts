import { algorithmOf } from './algorithms/index.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { type Cost, givenCost } from './cost.ts'
import type { Grounds } from './decision.ts'
import { type Cell, type Demand, type Group, Mode, PenaltyMode } from './store/contract.ts'
import { ruleInForce, verdictAt } from './store/read.ts'

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
  return correction(charge, ({ policy, cost, at, guard, lease, paid }, settle) => {
    if (policy.algorithm === 'concurrency') return
    // Nothing at all was used: then not even the request counts.
    const used = actual === 0 ? 0 : (givenCost(policy, actual) ?? cost + paid)
    // What guards before have charged is theirs to give back.
    const wanted = used > paid ? used - paid : 0
    // What is taken at the end only was not taken yet.
    const taken = lease < 0 || released ? cost : 0
    settle(at, wanted - taken)
    settle(guard, wanted - taken)
  })
}

/** The group that ends a request in flight, and takes what it costs where that was not settled; undefined when no policy asks for it. */
export function release(charge: Grounds, { settled }: Progress): Group | undefined {
  return correction(charge, ({ policy, cost, at, guard, lease }, settle) => {
    if (policy.algorithm === 'concurrency') settle(at, -cost)
    if (lease < 0) return
    settle(lease, -1)
    if (settled) return
    settle(at, cost)
    settle(guard, cost)
  })
}

/** A policy of a charge, what it took, and the places of its demands; -1 where it has none. */
interface Charged {
  readonly policy: CompiledPolicy
  readonly cost: number
  readonly at: number
  readonly guard: number
  readonly lease: number
  /** Units that guards before have charged. */
  readonly paid: number
}

function correction(
  { question, verdict }: Grounds,
  each: (charged: Charged, settle: (at: number, delta: number) => void) => void,
): Group | undefined {
  const { policies, demands: asked, penalty, aside } = question
  const demands: Demand[] = []
  const settle = (at: number, delta: number): void => {
    const demand = asked[at]
    // A shadow policy that would have refused took nothing.
    if (delta === 0 || demand === undefined || verdict.passes[at] !== true || demand.mode === Mode.PEEK)
      return
    const rule = ruleInForce(demand, verdict)
    const receipt = algorithmOf(rule).receipt(verdict.states[at] ?? [], verdictAt(verdict, at).now, rule)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: delta, receipt })
  }
  for (const [at, policy] of policies.entries()) {
    const { guard = -1, lease = -1, paid = 0 } = aside?.[at] ?? {}
    each({ policy, cost: (asked[at] as Demand).cost, at, guard, lease, paid }, settle)
  }
  if (demands.length === 0) return undefined
  return { demands, penalty: penalty && { ...penalty, mode: PenaltyMode.READ } }
}

/** The counters that a decision counted on, of some policies; never quotas'. */
export function countersOf({ question }: Grounds, policies: readonly CompiledPolicy[]): Cell[] {
  const names = new Set(policies.map(({ name }) => name))
  const demands = question.policies.flatMap(({ name, calendar }, at) => {
    const { guard = -1, lease = -1 } = question.aside?.[at] ?? {}
    const places = calendar !== undefined || !names.has(name) ? [] : [at, guard, lease]
    return places.flatMap(place => question.demands[place] ?? [])
  })
  return cellsOf({ demands })
}

/** The counters that a charge touched. */
export function cellsOf(group: Group): Cell[] {
  return group.demands.map(({ subject, rule }) => ({ subject, cell: rule.cell }))
}
