import { type Digest, makeDigest } from '../base/digest.ts'
import type { Duration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import { type Warn, warnOnce } from '../base/warnings.ts'
import { checkNames, checkType, namesOf } from '../base/options-check.ts'
import { checkPrefix } from '../request/address-key.ts'
import { type StrictStore, strictStore } from '../resilience/strict-store.ts'
import type { GateSource } from '../limiter/gate.ts'
import type { Store } from '../store/contract.ts'
import { notifier } from '../telemetry/notifier.ts'
import { Thresholds } from '../telemetry/thresholds.ts'
import type { Notify, Telemetry } from '../check/telemetry.ts'

/** Options of a quota manager. */
export interface QuotaManagerOptions {
  /** The `secret` of the limiter, so that identities name the same counters. */
  readonly secret?: string | undefined
  /** The `ipv6Prefix` of the limiter, so that identities name the same counters. Default 56. */
  readonly ipv6Prefix?: number | undefined
  /** The `Control` of the limiter, so that the manager obeys what operators set. Default: none. */
  readonly control?: Pick<GateSource, 'notePolicies'> | undefined
  /** The longest time that a call waits for the store. Default `"1s"`. */
  readonly storeTimeout?: Duration | undefined
  readonly telemetry?: Telemetry | undefined
  readonly warn?: Warn | undefined
}

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

/** The names of the options of one call. */
export const CALL_OPTIONS: readonly string[] = namesOf<QuotaCall>({ cost: true, idempotencyKey: true })
const OPTIONS = namesOf<QuotaManagerOptions>({
  secret: true,
  ipv6Prefix: true,
  control: true,
  storeTimeout: true,
  telemetry: true,
  warn: true,
})

/** The parts of a quota manager. */
export interface QuotaManagerParts {
  readonly digest: Digest
  readonly ipv6Prefix: number
  readonly notify: Notify
  readonly store: StrictStore
  readonly control: GateSource | undefined
}

/**
 * Checks the options of a quota manager and makes its parts.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`, `HALT_E_UNKNOWN_FIELD` and others for wrong options
 */
export function quotaManagerParts(store: Store, options: QuotaManagerOptions): QuotaManagerParts {
  if (typeof store?.evaluate !== 'function') {
    throw new HaltError('HALT_E_STORE_OPTION', 'QuotaManager got no store.', 'Give new QuotaManager(store).')
  }
  checkNames(options as Record<string, unknown>, OPTIONS, 'QuotaManager')
  const { secret, ipv6Prefix, telemetry, storeTimeout } = options
  const warn = warnOnce(options.warn)
  const notify = notifier(telemetry, warn)
  const thresholds = new Thresholds(telemetry, notify)
  return {
    control: controlOf(options, store, warn),
    digest: makeDigest(secret, warn),
    ipv6Prefix: checkPrefix(ipv6Prefix),
    notify,
    store: strictStore(store, storeTimeout, warn, notify, (group, evaluation, ask) =>
      thresholds.heard(group, evaluation, ask),
    ),
  }
}

/**
 * The `Control` of a manager; undefined without one. Warns if it is not where the counters are.
 *
 * @throws HaltError `HALT_E_OPTION`
 */
export function controlOf(
  options: Pick<QuotaManagerOptions, 'control'>,
  store: Store,
  warn: Warn,
): GateSource | undefined {
  checkType(options as Readonly<Record<string, unknown>>, 'control', 'object', 'HALT_E_OPTION')
  const control = options.control as GateSource | undefined
  control?.noteStore(store, warn)
  return control
}
