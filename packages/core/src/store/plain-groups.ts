import type { AlgorithmCode } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from './contract.ts'

/** Whether a group only charges token buckets: without a penalty, an idempotency key or terms, and each with a cost. */
export function isPlainBuckets({ demands, penalty, idempotency }: Group): boolean {
  if (penalty !== undefined || idempotency !== undefined) return false
  for (let i = 0; i < demands.length; i++) {
    const demand = demands[i]!
    if (!isPlain(demand) || demand.rule.code !== 't') return false
  }
  return true
}

/** Whether a group only charges one counter that is no quota and no units in flight, as `charge` of a store does. */
export function isLoneCharge({ demands, penalty, idempotency }: Group): boolean {
  if (demands.length !== 1 || penalty !== undefined || idempotency !== undefined) return false
  const demand = demands[0]!
  return isPlain(demand) && isChargedAlone(demand.rule.code)
}

/** Whether a counter of this algorithm can be charged alone. A quota needs its calendar, and a unit in flight its release. */
export function isChargedAlone(code: AlgorithmCode): boolean {
  return code === 't' || code === 'f' || code === 's'
}

function isPlain({ mode, cost, terms }: Demand): boolean {
  return mode === Mode.CHARGE && cost > 0 && terms === undefined
}
