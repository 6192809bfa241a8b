import { fromCaller } from '../base/warnings.ts'
import { plainCheck } from '../check/check.ts'
import { checkIdempotencyKey } from '../check/check-options.ts'
import { compilePolicy, type CompiledPolicy } from '../policy/compiled-policy.ts'
import { checkOwed, readCost } from '../policy/cost.ts'
import { describe } from '../base/errors.ts'
import { compileCalendar } from '../policy/calendar.ts'
import type { Quota } from '../policy/policy.ts'
import { idempotencyDemand } from '../check/check-builder.ts'
import type { ControlEntry } from '../policy/control-entry.ts'
import { bareKindOf } from '../policy/reachability.ts'
import { type Identity, subjectOf, SHARED, type Subject } from '../request/identity.ts'
import { Thresholds } from '../telemetry/thresholds.ts'
import { quotaUsage } from '../telemetry/usage.ts'
import { type Demand, Mode, type Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { isHeldUp, used } from '../store/reading.ts'
import type { QuotaUsage } from '../check/telemetry.ts'
import { checkNames, fail, namesOf } from '../base/options-check.ts'
import { type ManagerOptions, type ManagerParts, managerParts } from './manager-options.ts'

/** Options of a quota manager. */
export type QuotaManagerOptions = ManagerOptions

/** Options of one call. */
export interface QuotaCall {
  /** The units of the call. Default: the quota's own cost, else 1. */
  readonly cost?: number | undefined
  /**
   * Repeats of the same call with the same key are not charged again until the period ends. An empty key counts as no key.
   */
  readonly idempotencyKey?: string | undefined
}

/** Options of a grant. */
export type GrantCall = Pick<QuotaCall, 'idempotencyKey'>

const CALL_OPTIONS = namesOf<QuotaCall>({ cost: true, idempotencyKey: true })

/** The use of a quota in its current period. */
export interface QuotaStatus extends QuotaUsage {
  /** When the current period began: Unix seconds. */
  readonly periodStart: number
}

interface Counted {
  readonly compiled: CompiledPolicy
  readonly client: Subject
  readonly owner: Subject
}

/** The answer of a quota to one call. */
export interface QuotaResult {
  readonly allowed: boolean
  readonly quota: QuotaStatus
  /** The entry of an operator that decided in place of the counter: a block, or a permission. Absent if the counter decided. */
  readonly entry?: ControlEntry
}

/**
 * Counts units per calendar period, such as API calls per month or exports per day. A bare string is the kind of id that the
 * quota's `keyStrategy` counts: a user's id by default, an extracted key with a `keyExtractor`.
 *
 * The same quota in a limiter's `policy` uses the same counters. With the limiter's `control` it obeys what operators set: who is blocked
 * is refused, who is allowed is not charged, and changed numbers hold. When the store cannot answer, calls reject with
 * `HALT_E_STORE`.
 *
 * @example
 * const quotas = new QuotaManager(store, { control })
 * const monthly = { name: 'api_calls', limit: 100_000, period: QuotaPeriod.MONTHLY }
 * const { allowed, quota } = await quotas.consumeQuota('user_123', monthly)
 */
export class QuotaManager {
  readonly #parts: ManagerParts
  readonly #compiled = new WeakMap<object, CompiledPolicy>()

  constructor(store: Store, options: QuotaManagerOptions = {}) {
    this.#parts = fromCaller(QuotaManager, () =>
      managerParts(store, options, {
        name: 'QuotaManager',
        fix: 'Give new QuotaManager(store).',
        listener: notify => {
          const thresholds = new Thresholds(options.telemetry, notify)
          return (group, evaluation, ask) => thresholds.observe(group, evaluation, ask)
        },
      }),
    )
  }

  /** Checks whether `cost` units would pass now, and charges nothing. */
  async checkQuota(identity: Identity, quota: Quota<never>, call: QuotaCall = {}): Promise<QuotaResult> {
    return this.#evaluate(identity, quota, call, Mode.PEEK)
  }

  /** Charges `cost` units if they are left, in one atomic step. A refused call charges nothing and leaves no record. */
  async consumeQuota(identity: Identity, quota: Quota<never>, call: QuotaCall = {}): Promise<QuotaResult> {
    return this.#evaluate(identity, quota, call, Mode.CHARGE)
  }

  /**
   * Refunds units of the current period, never more than were used.
   *
   * @param units how many; fractions round up. Default 1
   * @throws HaltError `HALT_E_COST`
   * @returns the units that were refunded: fewer than `units` when fewer were used
   */
  async refundQuota(identity: Identity, quota: Quota<never>, units = 1): Promise<number> {
    const amount = readCost(units, 'refund')
    const { compiled, owner } = this.#counted(identity, quota)
    checkOwed(units, compiled, compiled.rule(undefined))
    // A settlement of no units reads the counter.
    const demand = this.#demand(owner, compiled, 0, Mode.SETTLE)
    // A refund must name its period, which may be any of the three around now.
    const found = await this.#parts.store.evaluateOrThrow({ demands: [demand] })
    const chargedTo = found.states[0]?.[1]
    if (chargedTo === undefined || amount === 0) return 0
    const refund: Demand = { ...demand, cost: -amount, chargedTo }
    // Read the use in the same atomic step as the refund.
    const evaluation = await this.#parts.store.evaluateOrThrow({ demands: [demand, refund] })
    return (
      used(demand, evaluation.states[0] ?? [], evaluation) -
      used(refund, evaluation.states[1] ?? [], evaluation)
    )
  }

  /**
   * Adds `units` to the quota until its current period ends: a top-up. It takes effect at once for every user of the quota,
   * including limiters. `granted` of the status shows the sum of all grants.
   */
  async grantQuota(
    identity: Identity,
    quota: Quota<never>,
    units: number,
    call: GrantCall = {},
  ): Promise<QuotaStatus> {
    return this.#grant(identity, quota, readCost(units, 'grant'), call)
  }

  /**
   * Takes granted units back, at most those that were granted in the current period. What is used stays used, so more may be used
   * than is allowed now; then the quota refuses until its period ends.
   *
   * @param units how many; fractions round up
   * @throws HaltError `HALT_E_COST`
   * @returns the state of the quota, and the units that were taken back: fewer than `units` when fewer were granted
   */
  async ungrantQuota(
    identity: Identity,
    quota: Quota<never>,
    units: number,
    call: GrantCall = {},
  ): Promise<QuotaStatus & { readonly takenBack: number }> {
    const amount = readCost(units, 'ungrant')
    let before = 0
    const status = await this.#grant(identity, quota, -amount, call, granted => (before = granted))
    return { ...status, takenBack: before - status.granted }
  }

  /** The end of the present day in the time zone of a quota, by the store's clock. Unix milliseconds. */
  endOfDay({ timeZone }: Pick<Quota<never>, 'timeZone'>): number {
    return compileCalendar({ period: 'daily', timeZone }).edges(this.#parts.store.clock.now())[1]
  }

  /**
   * Sets the use of the current period back to 0. Grants stay, and what running calls hold. Older charges are not refunded any more:
   * a call that ends after the reset gives back nothing of what it charged before.
   */
  async resetQuota(identity: Identity, quota: Quota<never>): Promise<void> {
    const { compiled, owner } = this.#counted(identity, quota)
    const demand = this.#demand(owner, compiled, 0, Mode.RESET)
    await this.#parts.store.evaluateOrThrow({ demands: [demand] })
  }

  /** @param told gets the units that were granted before, in the same atomic step */
  async #grant(
    identity: Identity,
    quota: Quota<never>,
    amount: number,
    call: GrantCall,
    told?: (granted: number) => void,
  ): Promise<QuotaStatus> {
    checkNames(call as Record<string, unknown>, ['idempotencyKey'], 'The call')
    const { idempotencyKey } = call
    checkIdempotencyKey(idempotencyKey)
    const { compiled, owner } = this.#counted(identity, quota)
    const demand = this.#demand(owner, compiled, amount, Mode.GRANT)
    // Marked as a grant, so that the same key of a charge does not match it.
    const idempotency = idempotencyKey
      ? idempotencyDemand(idempotencyKey, [compiled], [demand], [`grant ${demand.cost}`], this.#parts.digest)
      : undefined
    // A settlement of no units reads the counter.
    const look = this.#demand(owner, compiled, 0, Mode.SETTLE)
    const demands = told === undefined ? [demand] : [look, demand]
    const evaluation = await this.#parts.store.evaluateOrThrow({ demands, idempotency })
    told?.(this.#status(compiled, look, evaluation).granted)
    return this.#status(compiled, demand, evaluation, demands.length - 1)
  }

  async #evaluate(
    identity: Identity,
    quota: Quota<never>,
    call: QuotaCall,
    mode: Mode,
  ): Promise<QuotaResult> {
    checkNames(call as Record<string, unknown>, CALL_OPTIONS, 'The call')
    const { cost, idempotencyKey } = call
    checkIdempotencyKey(idempotencyKey)
    const { compiled, client, owner } = this.#counted(identity, quota)
    const entry = this.#parts.control?.accessFor(client, this.#parts.store.clock)
    const units = cost === undefined ? compiled.cost : readCost(cost)
    if (entry !== undefined)
      return this.#obey(entry, this.#demand(owner, compiled, units, Mode.PEEK), compiled)
    const demand = this.#demand(owner, compiled, units, mode)
    const idempotency =
      idempotencyKey && mode !== Mode.PEEK
        ? idempotencyDemand(idempotencyKey, [compiled], [demand], [demand.cost], this.#parts.digest)
        : undefined
    const check = { ...plainCheck([compiled], [demand]), idempotency }
    const evaluation = await this.#parts.store.evaluateOrThrow(check)
    const status = this.#status(compiled, demand, evaluation)
    const allowed = evaluation.allowed
    this.#parts.notify('onQuotaCheck', demand.subject, status, allowed)
    if (!allowed && !isHeldUp(demand, evaluation.states[0] ?? [], evaluation))
      this.#parts.notify('onQuotaExceeded', demand.subject, status)
    return { allowed, quota: status }
  }

  #compile(quota: Quota<never>): CompiledPolicy {
    checkQuota(quota)
    let compiled = this.#compiled.get(quota)
    if (compiled === undefined) {
      compiled = compilePolicy(quota, { multiplier: undefined, keysPerAddress: 1 })
      this.#compiled.set(quota, compiled)
    }
    return compiled
  }

  /** Answers for a client that an operator has blocked or let pass. The counter is only read. */
  async #obey(entry: ControlEntry, peek: Demand, policy: CompiledPolicy): Promise<QuotaResult> {
    const evaluation = await this.#parts.store.evaluateOrThrow({ demands: [peek] })
    return { allowed: entry.kind === 'allow', quota: this.#status(policy, peek, evaluation), entry }
  }

  /** A client, the owner of its counter, and the quota with the numbers that hold for it now. */
  #counted(identity: Identity, quota: Quota<never>): Counted {
    const policy = this.#compile(quota)
    const bare = typeof identity === 'string' ? bareKindOf(policy) : 'user'
    const client = subjectOf(identity, bare, this.#parts.digest, this.#parts.ipv6Prefix)
    const owner = policy.keyStrategy === 'shared' ? SHARED : client
    const compiled = this.#parts.control?.numbered(policy, owner, this.#parts.store.clock) ?? policy
    return { compiled, client, owner }
  }

  #demand(owner: Subject, policy: CompiledPolicy, cost: number, mode: Mode): Demand {
    const edges = policy.edges(this.#parts.store.clock.now())
    return { rule: policy.rule(undefined), subject: owner, cost, mode, edges, penalized: false }
  }

  #status(policy: CompiledPolicy, demand: Demand, evaluation: Evaluation, at = 0): QuotaStatus {
    const usage = quotaUsage(policy, demand, evaluation, at)
    // `resetAt` is rounded up, so that the end of the period may be up to a second before it.
    const start = policy.calendar?.edges(usage.resetAt * 1000 - 1000)[0] ?? 0
    return { ...usage, periodStart: Math.floor(start / 1000) }
  }
}

/** Refuses what is not a quota before it is validated as a policy, whose texts speak of windows. */
function checkQuota(quota: unknown): void {
  const fix = 'Give the quota itself: { name: "api_calls", limit: 1000, period: QuotaPeriod.MONTHLY }.'
  if (typeof quota !== 'object' || quota === null || Array.isArray(quota))
    fail('HALT_E_POLICY', `The quota is ${describe(quota)}.`, fix)
  const { name, period } = quota as Partial<Quota>
  if (period === undefined) fail('HALT_E_PERIOD', `${describe(name)} has no period.`, fix)
}
