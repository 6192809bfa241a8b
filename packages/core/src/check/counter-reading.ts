import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { CheckResult } from './check-result.ts'
import type { Demand } from '../store/contract.ts'
import { blockedUntil } from '../store/cooldown.ts'
import { limitInForce, remaining, resetAt, used, evaluationAt } from '../store/reading.ts'

/** What a counter in the store holds. */
export interface CounterReading {
  readonly policy: string
  /**
   * Which of the policy's counters: its `own`; the `address` ceiling that all unverified API keys of an address share; the
   * requests `in-flight` of a policy with `inFlight`.
   */
  readonly counter: 'own' | 'address' | 'in-flight'
  /** Whose counter, for people: `user:42`, `api-key:#…`. */
  readonly key: string
  /** Units a window, under the penalty and with the grants in force. */
  readonly limit: number
  /** Units that count now, rounded up. More than `limit` after a settlement that overdrew. */
  readonly used: number
  /** Whole units left; 0 while the counter is blocked. */
  readonly remaining: number
  /** When nothing counts any more: Unix seconds, rounded up. */
  readonly resetAt: number
  /** When the cool-down ends: Unix seconds, rounded up; 0 when there is none. */
  readonly blockedUntil: number
}

/** Reads every counter that a question asked. */
export function countersIn(result: CheckResult): readonly CounterReading[] {
  return result.check.policies.flatMap((policy, at) => {
    const { addressCeiling = -1, lease = -1 } = result.check.extras?.[at] ?? {}
    const places = { own: at, address: addressCeiling, 'in-flight': lease } as const
    return (['own', 'address', 'in-flight'] as const).flatMap(counter =>
      places[counter] < 0 ? [] : read(policy, counter, places[counter], result),
    )
  })
}

function read(
  { name }: CompiledPolicy,
  counter: CounterReading['counter'],
  place: number,
  { check, evaluation: whole }: CheckResult,
): CounterReading {
  const evaluation = evaluationAt(whole, place)
  const demand = check.demands[place] as Demand
  const state = evaluation.states[place] ?? []
  const cooldown = blockedUntil(state)
  return Object.freeze({
    policy: name,
    counter,
    key: demand.subject,
    limit: limitInForce(demand, state, evaluation),
    used: used(demand, state, evaluation),
    remaining: remaining(demand, state, evaluation),
    resetAt: Math.ceil(resetAt(demand, state, evaluation) / 1e6),
    blockedUntil: cooldown > evaluation.now ? Math.ceil(cooldown / 1e6) : 0,
  })
}
