import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Cost } from '../policy/cost.ts'
import type { OnStoreError } from '../policy/policy.ts'
import type { CheckResult } from './check-result.ts'
import type { PolicyVerdict, Reason } from './policy-verdict.ts'
import { readVerdicts } from './verdict-reader.ts'
import type { Unreached } from '../policy/reachability.ts'
import type { Group, Evaluation } from '../store/contract.ts'
import { hasCharged } from '../store/decide.ts'
import { resetAt, evaluationAt } from '../store/reading.ts'

/** The fields of a {@link Decision}. */
export interface DecisionFields {
  /** Whether the request may go on. */
  readonly allowed: boolean
  readonly reason: Reason
  /** The binding policy: the refusing one with the longest wait, else the one with the least left of its limit. */
  readonly policy: string
  /** Units a window, of the binding policy. */
  readonly limit: number
  /** Whole units left after this request, of the binding policy. May exceed `limit` where `burst` does. */
  readonly remaining: number
  /** When the binding policy has forgotten all: Unix seconds, rounded up. */
  readonly resetAt: number
  /**
   * The least whole seconds after which the same request passes every policy if nobody else asks; 0 when it was
   * allowed, `Infinity` when it never can.
   */
  readonly retryAfter: number
  /** The same wait in whole milliseconds, rounded up; `Infinity` when the request can never pass. */
  readonly retryAfterMs: number
  /** Units this request took, or asked for, of the binding policy. */
  readonly cost: number
  /** Whose counter, of the binding policy. */
  readonly key: string
  /** What decided in the store's place when it could not answer. */
  readonly degraded: false | OnStoreError
  /** What every policy said, shadow ones included. */
  readonly verdicts: readonly PolicyVerdict[]
}

/** A correction that the store has made, and what the store answered. */
export interface AppliedCorrection {
  readonly group: Group
  readonly evaluation: Evaluation
}

/** What a decision charged, so that it can be corrected. Only the limiter knows it. */
export interface ChargeRecord {
  /** What the charge was settled to. */
  settled: Cost | undefined
  /** Whether the request in flight has ended. */
  released: boolean
  /** Whether a held cost was taken or given up, and its lease ended. */
  decided: boolean
  /** Whether the application is being asked if the request counts. */
  awaited: boolean
  /** The correction that decides the charge, while it is on its way to the store. */
  correcting: Promise<unknown> | undefined
  /** The correction that took a held cost. */
  taken: AppliedCorrection | undefined
  /** Undefined where no counter decided. */
  result: CheckResult | undefined
  /**
   * Where the charge is recorded: in the store, in the local fallback, or unknown because the store timed out. Undefined where
   * nothing was charged.
   */
  recordedIn: 'store' | 'local' | 'unknown' | undefined
}

/** The answer to a request. Frozen. Only this very object, not a copy, settles. */
export class Decision implements DecisionFields {
  readonly allowed: boolean
  readonly reason: Reason
  readonly policy: string
  readonly limit: number
  readonly remaining: number
  readonly resetAt: number
  readonly retryAfter: number
  readonly retryAfterMs: number
  readonly cost: number
  readonly key: string
  readonly degraded: false | OnStoreError
  readonly #result: CheckResult | number
  // Made when somebody first reads it: most requests need the binding policy alone.
  #verdicts: readonly PolicyVerdict[] | undefined
  // Made when somebody first asks, because few decisions are ever corrected.
  #record: ChargeRecord | undefined

  /**
   * @param wait microseconds until the request passes every policy
   * @param result of the check; where no counter decided, the store's clock in Unix seconds
   * @param verdicts given where no counter decided
   */
  // perf: bench "memory, one policy"; spreading objects here took most of a check.
  constructor(
    shown: Pick<PolicyVerdict, 'allowed' | 'reason' | 'policy' | 'limit' | 'remaining' | 'resetAt' | 'key'>,
    wait: number,
    cost: number,
    degraded: false | OnStoreError,
    result: CheckResult | number,
    verdicts?: readonly PolicyVerdict[],
  ) {
    this.allowed = shown.allowed
    this.reason = shown.reason
    this.policy = shown.policy
    this.limit = shown.limit
    this.remaining = shown.remaining
    this.resetAt = shown.resetAt
    this.retryAfter = wait === 0 ? 0 : Math.ceil(wait / 1e6)
    this.retryAfterMs = wait === 0 ? 0 : Math.ceil(wait / 1e3)
    this.cost = cost
    this.key = shown.key
    this.degraded = degraded
    this.#result = result
    this.#verdicts = verdicts
    Object.freeze(this)
  }

  /** What every policy said, shadow ones included; empty where no policy was asked. Made when it is first read. */
  get verdicts(): readonly PolicyVerdict[] {
    return (this.#verdicts ??= readVerdicts(this.#result as CheckResult))
  }

  /** The fields of the decision, `verdicts` among them: what `JSON.stringify` writes. */
  toJSON(): DecisionFields {
    const {
      allowed,
      reason,
      policy,
      limit,
      remaining,
      resetAt,
      retryAfter,
      retryAfterMs,
      cost,
      key,
      degraded,
    } = this
    const { verdicts } = this
    return {
      allowed,
      reason,
      policy,
      limit,
      remaining,
      resetAt,
      retryAfter,
      retryAfterMs,
      cost,
      key,
      degraded,
      verdicts,
    }
  }

  // Node's console.log and util.inspect print the decision as it serialises.
  static {
    Object.defineProperty(this.prototype, Symbol.for('nodejs.util.inspect.custom'), {
      value(this: Decision, _depth: number, _options: unknown, inspect: (value: unknown) => string) {
        return `Decision ${inspect(this.toJSON())}`
      },
    })
  }

  /**
   * Of a look at an identity: the policies that never count requests under it, and what names their counters instead. Else
   * empty. A getter: it is neither printed nor serialised.
   */
  get unreachable(): readonly Unreached[] {
    return unreached.get(this) ?? NONE
  }

  /** Notes what a look did not reach; gives the decision back. */
  static withUnreachable(decision: Decision, unreachable: readonly Unreached[]): Decision {
    if (unreachable.length > 0) unreached.set(decision, unreachable)
    return decision
  }

  /** The charge record of a decision; undefined for a copy, and for any other value. */
  static recordOf(decision: unknown): ChargeRecord | undefined {
    return Decision.#is(decision) ? (decision.#record ??= decision.#makeRecord()) : undefined
  }

  /** The store's clock at a decision, Unix seconds; undefined for a copy. */
  static instantOf(decision: unknown): number | undefined {
    if (!Decision.#is(decision)) return undefined
    const result = decision.#result
    return typeof result === 'number' ? result : result.evaluation.now / 1e6
  }

  /** A policy that a decision rests on, as it was then; undefined where no counter decided. */
  static policyOf(decision: unknown, name: string): CompiledPolicy | undefined {
    return Decision.#resultOf(decision)?.check.policies.find(policy => policy.name === name)
  }

  /** Microseconds from a decision until a policy's counter is back to zero; undefined where no counter decided. */
  static timeToReset(decision: unknown, name: string): number | undefined {
    const { check, evaluation } = Decision.#resultOf(decision) ?? {}
    const at = check?.policies.findIndex(policy => policy.name === name) ?? -1
    const demand = check?.demands[at]
    if (demand === undefined || evaluation === undefined) return undefined
    const own = evaluationAt(evaluation, at)
    return resetAt(demand, evaluation.states[at] ?? [], own) - own.now
  }

  static #is(value: unknown): value is Decision {
    return typeof value === 'object' && value !== null && #record in value
  }

  static #resultOf(value: unknown): CheckResult | undefined {
    return Decision.#is(value) && typeof value.#result === 'object' ? value.#result : undefined
  }

  #makeRecord(): ChargeRecord {
    const result = Decision.#resultOf(this)
    const isCharged = result !== undefined && hasCharged(result.check, result.evaluation)
    return {
      settled: undefined,
      released: false,
      decided: false,
      awaited: false,
      correcting: undefined,
      taken: undefined,
      result,
      recordedIn: isCharged ? (this.degraded === false ? 'store' : 'local') : undefined,
    }
  }
}

const NONE: readonly Unreached[] = Object.freeze([])
// Kept outside the decision, so that only looks at identities pay for it.
const unreached = new WeakMap<Decision, readonly Unreached[]>()
