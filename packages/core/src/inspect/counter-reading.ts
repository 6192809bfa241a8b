import { type LastCharge, type State, algorithmOf, blockedUntil, shareCodes } from '../algorithms/index.ts'
import type { AppliedControl } from '../limiter/gate.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { ControlEntry } from '../policy/control-entry.ts'
import { fairShareOf } from './fair-share.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Demand } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { ofTenant } from '../store/terms.ts'
import { held, limitInForce, remaining, resetAt, used, evaluationAt } from '../store/reading.ts'

/** The state of one counter in the store. */
export interface CounterReading {
  readonly policy: string
  /**
   * Which counter of the policy: its `own`, the `address` ceiling that all unverified API keys of an address share, the requests
   * `in-flight` of a policy with `inFlight`, or the tenant's `share` of a policy with `fair`.
   */
  readonly counter: 'own' | 'address' | 'in-flight' | 'share'
  /** The name of the counter, with a letter for its algorithm. Policies whose counters have one name share them. */
  readonly name: string
  /** The owner of the counter, readable by people: `user:42`, `api-key:#…`. */
  readonly key: string
  /**
   * Units per window, under the penalty in force and with the grants in force. Of a share of a pool: the permits that the tenant may
   * hold now.
   */
  readonly limit: number
  /**
   * Units that count now, rounded up. It exceeds `limit` after a settlement that overdrew. Of a share of a bucket: those that the
   * tenant has had beyond its share.
   */
  readonly used: number
  /** Units that calls hold and have not used yet; 0 unless the policy is a quota. */
  readonly held: number
  /** Whole units left; 0 during a cool-down. */
  readonly remaining: number
  /** When the counter is back to zero: Unix seconds, rounded up. */
  readonly resetAt: number
  /** When the cool-down ends: Unix seconds, rounded up; 0 when there is none. */
  readonly blockedUntil: number
  /** What the counter itself tells of its last charge or correction. Instants are Unix microseconds. */
  readonly lastCharge: LastCharge
  /** The entries of operators that apply: one that blocks the client or lets it pass, and the entries that set the numbers. */
  readonly control: readonly ControlEntry[]
}

/** Reads every counter of a check. */
export function countersIn(result: CheckResult, control: AppliedControl): readonly CounterReading[] {
  const { check, evaluation } = result
  return check.policies.flatMap((policy, at) => {
    const { address, flight } = check.extras?.[at]?.at ?? {}
    const indexes = { own: at, address, 'in-flight': flight }
    const own = (['own', 'address', 'in-flight'] as const).flatMap(counter => {
      const index = indexes[counter]
      if (index === undefined) return []
      const state = evaluation.states[index] ?? []
      return read(policy, counter, check.demands[index]!, state, evaluationAt(evaluation, index), control)
    })
    const share = shareIn(at, result, control, own[0]!)
    return share === undefined ? own : [...own, share]
  })
}

/** The tenant's share of the counter of the policy at an index. */
function shareIn(
  policy: number,
  result: CheckResult,
  control: AppliedControl,
  pool: CounterReading,
): CounterReading | undefined {
  const { check, evaluation } = result
  const fair = fairShareOf(policy, check, evaluation)
  if (fair === undefined) return undefined
  const demand = { ...ofTenant(check.demands[policy]!), terms: undefined }
  const state = evaluation.shares?.[policy] ?? []
  const at = evaluationAt(evaluation, policy)
  const reading = read(check.policies[policy]!, 'share', demand, state, at, control)
  if (reading.name.endsWith(`:${shareCodes.concurrency}`)) {
    const limit = Math.min(pool.limit, fair.weight * fair.level)
    const remaining = Math.min(pool.remaining, Math.max(0, limit - reading.used))
    return Object.freeze({ ...reading, key: fair.tenant, limit, remaining })
  }
  const isTurn = fair.ahead <= 0 || !fair.isScarce
  const used = Math.max(0, Math.ceil(fair.ahead))
  return Object.freeze({ ...reading, key: fair.tenant, used, remaining: isTurn ? pool.remaining : 0 })
}

function read(
  { name }: CompiledPolicy,
  counter: CounterReading['counter'],
  demand: Demand,
  state: State,
  evaluation: Evaluation,
  { access, numbersOf }: AppliedControl,
): CounterReading {
  const cooldown = blockedUntil(state)
  const numbers = counter === 'own' ? numbersOf(name, demand.subject) : []
  return Object.freeze({
    policy: name,
    counter,
    name: demand.rule.counter,
    key: demand.subject,
    limit: limitInForce(demand, state, evaluation),
    used: used(demand, state, evaluation),
    held: held(demand, state, evaluation),
    remaining: remaining(demand, state, evaluation),
    resetAt: Math.ceil(resetAt(demand, state, evaluation) / 1e6),
    blockedUntil: cooldown > evaluation.now ? Math.ceil(cooldown / 1e6) : 0,
    lastCharge: Object.freeze(
      algorithmOf(demand.rule).lastCharge(state, evaluation.now, demand.rule, demand.edges),
    ),
    control: Object.freeze([...(access === undefined ? [] : [access]), ...numbers]),
  })
}
