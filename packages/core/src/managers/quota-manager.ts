import { fromCaller } from '../base/call-site.ts'
import { checkIdempotencyKey } from '../check/check-options.ts'
import { compilePolicy, type CompiledPolicy } from '../policy/compiled-policy.ts'
import { readCost } from '../policy/cost.ts'
import { type Digest, makeDigest } from '../base/digest.ts'
import type { Duration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import { type Warn, warnOnce } from '../base/warnings.ts'
import { notifier } from '../telemetry/hooks.ts'
import { checkPrefix } from '../request/address-key.ts'
import type { Quota } from '../policy/policy.ts'
import { idempotencyDemand } from '../check/idempotency.ts'
import { bareKindOf } from '../policy/reachability.ts'
import { type Identity, subjectOf } from '../request/identity.ts'
import { SHARED } from '../request/subject.ts'
import { type GuardedStore, strictStore } from '../resilience/guarded-store.ts'
import { quotaUsage, thresholdReached } from '../telemetry/usage.ts'
import { type Demand, Mode, type Store, type Evaluation } from '../store/contract.ts'
import { used } from '../store/reading.ts'
import type { Notify, QuotaUsage, Telemetry } from '../telemetry/telemetry.ts'
import { checkNames, namesOf } from '../base/options-check.ts'

/** How much of a quota is used. */
export interface QuotaStatus extends QuotaUsage {
  /** When the present period began: Unix seconds. */
  readonly periodStart: number
}

/** A quota's answer. */
export interface QuotaResult {
  readonly allowed: boolean
  readonly quota: QuotaStatus
}

/** Options of {@link QuotaManager}. */
export interface QuotaManagerOptions {
  /** The limiter's, so that identities name the same counters. */
  readonly secret?: string | undefined
  /** The limiter's, so that identities name the same counters. Default 56. */
  readonly ipv6Prefix?: number | undefined
  /** The longest a call waits for the store. Default `"1s"`. */
  readonly storeTimeout?: Duration | undefined
  readonly telemetry?: Telemetry | undefined
  readonly warn?: Warn | undefined
}

/** Units of one call. */
export interface QuotaCall {
  /** Default the quota's own, else 1. */
  readonly cost?: number | undefined
  /** The same call with the same key is charged once, until the period's end. An empty one is none. */
  readonly idempotencyKey?: string | undefined
}

/** What may be said of a grant. */
export type GrantCall = Pick<QuotaCall, 'idempotencyKey'>

/**
 * Counts units by calendar period: a month's API calls, a day's exports. A bare string is what the quota's `keyStrategy`
 * counts: a user's id by default, an extracted key where there is a `keyExtractor`.
 *
 * The counters are those that the same quota in a limiter's `policy` uses. When the store cannot answer, calls reject
 * with `HALT_E_STORE`.
 *
 * @example
 * const quotas = new QuotaManager(store)
 * const monthly = { name: 'api_calls', limit: 100_000, period: QuotaPeriod.MONTHLY }
 * const { allowed, quota } = await quotas.consumeQuota('user_123', monthly)
 */
export class QuotaManager {
  readonly #digest: Digest
  readonly #ipv6Prefix: number
  readonly #guardedStore: GuardedStore
  readonly #notify: Notify
  readonly #compiled = new WeakMap<object, CompiledPolicy>()

  constructor(store: Store, options: QuotaManagerOptions = {}) {
    const parts = fromCaller(QuotaManager, () => partsOf(store, options))
    this.#digest = parts.digest
    this.#ipv6Prefix = parts.ipv6Prefix
    this.#notify = parts.notify
    this.#guardedStore = parts.guardedStore
  }

  /** Whether `cost` units would pass now; consumes nothing. */
  async checkQuota(identity: Identity, quota: Quota<never>, call: QuotaCall = {}): Promise<QuotaResult> {
    return this.#ask(identity, quota, call, Mode.PEEK)
  }

  /** Takes `cost` units if they are left, in one atomic step. A refused call takes nothing and leaves no record. */
  async consumeQuota(identity: Identity, quota: Quota<never>, call: QuotaCall = {}): Promise<QuotaResult> {
    return this.#ask(identity, quota, call, Mode.CHARGE)
  }

  /**
   * Gives units of the present period back, never below zero used.
   *
   * @returns the units that were given back: fewer than `units` where fewer were used
   */
  async refundQuota(identity: Identity, quota: Quota<never>, units = 1): Promise<number> {
    return this.#giveBack(identity, quota, readCost(units, 'refund'))
  }

  /**
   * Adds `units` to what the quota allows until its present period ends: a top-up. Takes effect at once wherever the quota is
   * counted, in limiters as well. `granted` of the status shows the sum of all grants.
   */
  async grantQuota(
    identity: Identity,
    quota: Quota<never>,
    units: number,
    call: GrantCall = {},
  ): Promise<QuotaStatus> {
    checkNames(call as Record<string, unknown>, ['idempotencyKey'], 'The call')
    const { idempotencyKey } = call
    checkIdempotencyKey(idempotencyKey)
    const compiled = this.#compile(quota)
    const demand = this.#demand(identity, compiled, readCost(units, 'grant'), Mode.GRANT)
    // A key of a charge is not one of a grant.
    const idempotency = idempotencyKey
      ? idempotencyDemand(idempotencyKey, [compiled], [demand], [`grant ${demand.cost}`], this.#digest)
      : undefined
    const evaluation = await this.#guardedStore.tell({ demands: [demand], idempotency })
    return this.#status(compiled, demand, evaluation)
  }

  /** Forgets what was used in the present period; what was granted stays. */
  async resetQuota(identity: Identity, quota: Quota<never>): Promise<void> {
    await this.#giveBack(identity, quota, EVERYTHING)
  }

  async #giveBack(identity: Identity, quota: Quota<never>, units: number): Promise<number> {
    // Applied whatever the limit says, and of no units: it reads.
    const demand = this.#demand(identity, this.#compile(quota), 0, Mode.SETTLE)
    // The period that counts may be any of the three: a refund names the one it goes to.
    const found = await this.#guardedStore.tell({ demands: [demand] })
    const receipt = found.states[0]?.[1]
    if (receipt === undefined || units === 0) return 0
    const refund: Demand = { ...demand, cost: -units, chargedTo: receipt }
    // What was used is read in the very step that gives back.
    const evaluation = await this.#guardedStore.tell({ demands: [demand, refund] })
    return (
      used(demand, evaluation.states[0] ?? [], evaluation) -
      used(refund, evaluation.states[1] ?? [], evaluation)
    )
  }

  async #ask(identity: Identity, quota: Quota<never>, call: QuotaCall, mode: Mode): Promise<QuotaResult> {
    checkNames(call as Record<string, unknown>, CALL, 'The call')
    const { cost, idempotencyKey } = call
    checkIdempotencyKey(idempotencyKey)
    const compiled = this.#compile(quota)
    const demand = this.#demand(identity, compiled, cost === undefined ? compiled.cost : readCost(cost), mode)
    const idempotency =
      idempotencyKey && mode !== Mode.PEEK
        ? idempotencyDemand(idempotencyKey, [compiled], [demand], [demand.cost], this.#digest)
        : undefined
    const evaluation = await this.#guardedStore.tell({ demands: [demand], idempotency })
    const status = this.#status(compiled, demand, evaluation)
    const allowed = evaluation.allowed
    this.#notify('onQuotaCheck', demand.subject, status, allowed)
    if (!allowed) this.#notify('onQuotaExceeded', demand.subject, status)
    else if (mode === Mode.CHARGE && !evaluation.repeated) {
      const threshold = thresholdReached(compiled, status, demand.cost)
      if (threshold !== undefined) this.#notify('onQuotaThreshold', demand.subject, status, threshold)
    }
    return { allowed, quota: status }
  }

  #compile(quota: Quota<never>): CompiledPolicy {
    let compiled = typeof quota === 'object' && quota !== null ? this.#compiled.get(quota) : undefined
    if (compiled === undefined) {
      compiled = compilePolicy(quota, { multiplier: undefined, keysPerAddress: 1 })
      if (compiled.calendar === undefined) {
        throw new HaltError(
          'HALT_E_PERIOD',
          `"${compiled.name}" has no period.`,
          'Give period: QuotaPeriod.MONTHLY, or another.',
        )
      }
      this.#compiled.set(quota, compiled)
    }
    return compiled
  }

  #subject(identity: Identity, policy: CompiledPolicy): string {
    const bare = typeof identity === 'string' ? bareKindOf(policy) : 'user'
    const subject = subjectOf(identity, bare, this.#digest, this.#ipv6Prefix)
    return policy.keyStrategy === 'shared' ? SHARED : subject
  }

  #demand(identity: Identity, policy: CompiledPolicy, cost: number, mode: Mode): Demand {
    const edges = policy.edges(this.#guardedStore.clock.now())
    return {
      rule: policy.rule(undefined),
      subject: this.#subject(identity, policy),
      cost,
      mode,
      edges,
      penalized: false,
    }
  }

  #status(policy: CompiledPolicy, demand: Demand, evaluation: Evaluation): QuotaStatus {
    const usage = quotaUsage(policy, demand, evaluation, 0)
    const start = policy.calendar?.edges(usage.resetAt * 1000 - 1)[0] ?? 0
    return { ...usage, periodStart: Math.floor(start / 1000) }
  }
}

// More than any limit and its grants.
const EVERYTHING = 2 ** 42
const CALL = namesOf<QuotaCall>({ cost: true, idempotencyKey: true })
const OPTIONS = namesOf<QuotaManagerOptions>({
  secret: true,
  ipv6Prefix: true,
  storeTimeout: true,
  telemetry: true,
  warn: true,
})

function partsOf(
  store: Store,
  options: QuotaManagerOptions,
): { digest: Digest; ipv6Prefix: number; notify: Notify; guardedStore: GuardedStore } {
  if (typeof store?.evaluate !== 'function') {
    throw new HaltError('HALT_E_STORE_OPTION', 'QuotaManager got no store.', 'Give new QuotaManager(store).')
  }
  checkNames(options as Record<string, unknown>, OPTIONS, 'QuotaManager')
  const { secret, ipv6Prefix, telemetry, storeTimeout } = options
  const warn = warnOnce(options.warn)
  const notify = notifier(telemetry, warn)
  return {
    digest: makeDigest(secret, warn),
    ipv6Prefix: checkPrefix(ipv6Prefix),
    notify,
    guardedStore: strictStore(store, storeTimeout, warn, notify),
  }
}
