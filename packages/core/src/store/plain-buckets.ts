import { type Group, Mode } from './contract.ts'

/** Whether a group only charges token buckets: without a penalty, an idempotency key or terms, and each with a cost. */
export function isPlainBuckets({ demands, penalty, idempotency }: Group): boolean {
  if (penalty !== undefined || idempotency !== undefined) return false
  for (let i = 0; i < demands.length; i++) {
    const { mode, rule, cost, terms } = demands[i]!
    if (mode !== Mode.CHARGE || rule.code !== 't' || cost <= 0 || terms !== undefined) return false
  }
  return true
}
