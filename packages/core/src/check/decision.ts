import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { OnStoreError } from '../policy/policy.ts'
import {
  type ChargeRecord,
  checkOfCharge,
  type DecisionDetails,
  type DecisionSource,
  UNCORRECTED,
} from './charge-record.ts'
import type { CheckResult } from './check-result.ts'
import { type PolicyVerdict, type Reason, readVerdicts } from './verdict-reader.ts'
import type { Unreached } from '../policy/reachability.ts'
import { hasCharged } from '../store/beside-demands.ts'
import type { ChargeAnswer } from '../store/admitted.ts'
import { held, resetAt, evaluationAt, evaluationAtStart } from '../store/reading.ts'

/** The fields of a {@link Decision}. */
export type DecisionFields = Omit<Decision, 'unreachable' | 'counted' | 'waitedMs' | 'toJSON'>

/** The answer to a request. Frozen. Only this object can be settled, not a copy of it. */
export class Decision {
  /** Whether the request may go on. */
  readonly allowed: boolean
  /**
   * Why. Allowed: `"ok"`, or `"exempt"` (not counted). Refused: `"limited"`, `"blocked"`, `"penalized"`, `"reserved"`,
   * `"fair-share"`, `"quota-exceeded"`, `"held"`, `"cost-exceeds-limit"`, `"missing-key"`, `"policy-error"`, `"store-error"`.
   */
  readonly reason: Reason
  /** The binding policy: the refusing one with the longest wait, else the one with the smallest share of its limit left. */
  readonly policy: string
  /** Units per window, of the binding policy. */
  readonly limit: number
  /** Whole units left after this request, of the binding policy. May exceed `limit` where `burst` does. */
  readonly remaining: number
  /** When the counter of the binding policy is back to zero: Unix seconds, rounded up. */
  readonly resetAt: number
  /**
   * The smallest number of whole seconds after which the same request passes every policy if no other request comes. 0 when
   * it was allowed, and for `"missing-key"`, where no wait helps. `Infinity` when it can never pass.
   */
  readonly retryAfter: number
  /** The same wait in whole milliseconds, rounded up; `Infinity` when the request can never pass. */
  readonly retryAfterMs: number
  /** Units that the binding policy charged, or would have charged. */
  readonly cost: number
  /** The owner of the binding policy's counter. */
  readonly key: string
  /** The `onStoreError` mode that decided because the store could not; false when the store decided. */
  readonly degraded: false | OnStoreError
  readonly #source: DecisionSource
  readonly #charge: ChargeAnswer | undefined
  // Made when somebody asks, because most requests need only the fields above.
  #details: DecisionDetails | undefined

  /**
   * @internal
   * @param wait microseconds until the request passes every policy
   * @param charge the counter that was charged without a check
   * @param verdicts the verdicts, given when no counter decided
   */
  // perf: bench "limiter.check(request)"; spreading objects here took most of a check.
  constructor(
    shown: Pick<PolicyVerdict, 'allowed' | 'reason' | 'policy' | 'limit' | 'remaining' | 'resetAt' | 'key'>,
    wait: number,
    cost: number,
    degraded: false | OnStoreError,
    source: DecisionSource,
    charge?: ChargeAnswer,
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
    this.#source = source
    this.#charge = charge
    this.#details = verdicts === undefined ? undefined : { result: undefined, verdicts, record: undefined }
    // perf: bench "fastify: halt"; the limiter or the guard freezes the others when it hands them out.
    if (charge === undefined) Object.freeze(this)
  }

  /** The verdict of every policy, shadow policies included; empty when no policy was asked. It is made on first read. */
  get verdicts(): readonly PolicyVerdict[] {
    const details = this.#detailsOf()
    return (details.verdicts ??= readVerdicts(details.result as CheckResult))
  }

  /** The fields of the decision, `verdicts` among them: what `JSON.stringify` writes. */
  toJSON(): DecisionFields {
    return { ...(this as DecisionFields), verdicts: this.verdicts }
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
   * After a peek at an identity: the policies that never count requests under that identity, and what names their counters
   * instead. Otherwise empty. A getter, so that it is neither printed nor serialised.
   */
  get unreachable(): readonly Unreached[] {
    return unreached.get(this) ?? NONE
  }

  /**
   * Whether counters decided. False if an operator, an exemption, a missing key, a failed policy function or a store that is away decided
   * in their place: then the numbers are not those of a counter. A getter, as above.
   */
  get counted(): boolean {
    return Decision.resultOf(this) !== undefined
  }

  /** Whole milliseconds that the caller waited for its turn; 0 if it did not have to. Neither printed nor serialised. */
  get waitedMs(): number {
    return waits.get(this) ?? 0
  }

  /** @internal Records the policies that a peek did not reach. Returns the decision. */
  static withUnreachable(decision: Decision, unreachable: readonly Unreached[]): Decision {
    if (unreachable.length > 0) unreached.set(decision, unreachable)
    return decision
  }

  /** @internal The charge record of a decision; undefined for a copy, and for any other value. */
  static recordOf(decision: unknown): ChargeRecord | undefined {
    if (!Decision.#is(decision)) return undefined
    return (decision.#detailsOf().record ??= decision.#makeRecord())
  }

  /** @internal The store's clock at the start of a request, in Unix seconds; undefined for a copy. */
  static instantOf(decision: unknown): number | undefined {
    if (!Decision.#is(decision)) return undefined
    const source = decision.#source
    if (typeof source === 'number') return source
    const startsIn = decision.allowed ? (Decision.startsIn(decision) ?? 0) : 0
    return (Decision.evaluatedAt(decision) + startsIn) / 1e6
  }

  /** @internal Whether every policy that a decision counted is enforced, as far as that is known without its verdicts. */
  static isEnforced(decision: unknown): boolean {
    if (!Decision.#is(decision)) return false
    const source = decision.#source
    return (
      decision.#charge !== undefined ||
      (typeof source === 'object' && (source as CheckResult).check.extras === undefined)
    )
  }

  /** @internal The result of the check behind a decision; undefined when no counter decided. */
  static resultOf(decision: unknown): CheckResult | undefined {
    return Decision.#is(decision) ? decision.#detailsOf().result : undefined
  }

  /** @internal Microseconds until the work of a decision may start, or its caller asks again; undefined if there is nothing to wait for. */
  static startsIn(decision: Decision): number | undefined {
    return (decision.#charge ?? Decision.resultOf(decision)?.evaluation)?.startsIn
  }

  /** @internal The store's clock at a decision that a counter made, in microseconds. */
  static evaluatedAt(decision: Decision): number {
    return (decision.#charge ?? (Decision.resultOf(decision) as CheckResult).evaluation).now
  }

  /** @internal Records how long the caller waited for its turn. Returns the decision. */
  static afterWait(decision: Decision, ms: number): Decision {
    if (ms > 0) waits.set(decision, ms)
    return decision
  }

  /** @internal A refusal that tells a wait of at least so many microseconds. Returns any other decision as it is. */
  static postponed(decision: Decision, wait: number): Decision {
    const { allowed, retryAfterMs, cost, degraded } = decision
    if (allowed || retryAfterMs * 1000 >= wait) return decision
    return new Decision(decision, wait, cost, degraded, decision.#source, decision.#charge)
  }

  /** @internal A policy of a decision, as it was at the decision; undefined when no counter decided. */
  static policyOf(decision: unknown, name: string): CompiledPolicy | undefined {
    return Decision.resultOf(decision)?.check.policies.find(policy => policy.name === name)
  }

  /** @internal Microseconds from the start of a request until a policy's counter is back to zero; undefined when no counter decided. */
  static timeToReset(decision: unknown, name: string): number | undefined {
    const { check, evaluation } = Decision.resultOf(decision) ?? {}
    const at = check?.policies.findIndex(policy => policy.name === name) ?? -1
    const demand = check?.demands[at]
    if (demand === undefined || evaluation === undefined) return undefined
    const own = evaluationAt(evaluationAtStart(evaluation), at)
    return resetAt(demand, evaluation.states[at] ?? [], own) - own.now
  }

  /** @internal The units of a quota that calls held at a decision; 0 where no quota of this name decided. */
  static heldIn(decision: Decision, name: string): number {
    const { check, evaluation } = Decision.resultOf(decision) ?? {}
    const at = check?.policies.findIndex(policy => policy.name === name) ?? -1
    const demand = check?.demands[at]
    if (demand === undefined || evaluation === undefined) return 0
    return held(demand, evaluation.states[at] ?? [], evaluationAt(evaluation, at))
  }

  /** @internal Freezes a decision before it is handed out, unless it was frozen when it was made. Returns the decision. */
  static freeze(decision: Decision): Decision {
    Object.freeze(decision)
    return decision
  }

  static #is(value: unknown): value is Decision {
    return typeof value === 'object' && value !== null && #details in value
  }

  #detailsOf(): DecisionDetails {
    if (this.#details !== undefined) return this.#details
    return (this.#details = { result: this.#makeResult(), verdicts: undefined, record: undefined })
  }

  #makeResult(): CheckResult | undefined {
    const source = this.#source
    if (typeof source === 'number') return undefined
    return this.#charge === undefined
      ? (source as CheckResult)
      : checkOfCharge(source as readonly CompiledPolicy[], this.#charge, this.key, this.cost)
  }

  #makeRecord(): ChargeRecord {
    const result = Decision.resultOf(this)
    const isCharged = result !== undefined && hasCharged(result.check, result.evaluation)
    return {
      ...UNCORRECTED,
      correcting: undefined,
      taken: undefined,
      open: undefined,
      result,
      recordedIn: isCharged ? (this.degraded === false ? 'store' : 'local') : undefined,
    }
  }
}

const NONE: readonly Unreached[] = Object.freeze([])
// Kept outside the decision, so that only peeks at identities pay for it.
const unreached = new WeakMap<Decision, readonly Unreached[]>()
// Kept outside as well, so that only callers that waited pay for it.
const waits = new WeakMap<Decision, number>()
