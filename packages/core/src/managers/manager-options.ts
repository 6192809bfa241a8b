import { type Digest, makeDigest } from '../base/digest.ts'
import type { Duration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import { checkNames, checkType, namesOf } from '../base/options-check.ts'
import { type Warn, type WarnOnce, warnOnce } from '../base/warnings.ts'
import type { Notify, Telemetry } from '../check/telemetry.ts'
import type { GateSource } from '../limiter/gate.ts'
import { checkPrefix } from '../request/address.ts'
import { type StrictStore, strictStore } from '../resilience/strict-store.ts'
import type { OnAnswer } from '../store/evaluation-check.ts'
import type { Store } from '../store/contract.ts'
import { notifier } from '../telemetry/notifier.ts'

/** Options of a manager, beside its store. */
export interface ManagerOptions {
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

const OPTIONS = namesOf<ManagerOptions>({
  secret: true,
  ipv6Prefix: true,
  control: true,
  storeTimeout: true,
  telemetry: true,
  warn: true,
})

/** What a manager is: its name, how one makes it, and its own options. */
interface Manager {
  readonly name: string
  readonly fix: string
  readonly options?: readonly string[]
  /** Makes the listener that hears each answer of the store about a quota. */
  readonly listener?: (notify: Notify) => OnAnswer
}

/** The parts of a manager. */
export interface ManagerParts {
  readonly digest: Digest
  readonly ipv6Prefix: number
  readonly notify: Notify
  readonly store: StrictStore
  /** Undefined without a `Control`. */
  readonly control: GateSource | undefined
  readonly warn: WarnOnce
}

/**
 * Checks the options of a manager and makes its parts. Warns if its `Control` is not where the counters are.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`, `HALT_E_UNKNOWN_FIELD` and others for wrong options
 */
export function managerParts(
  store: Store | undefined,
  options: ManagerOptions,
  { name, fix, options: own = [], listener }: Manager,
): ManagerParts {
  if (typeof store?.evaluate !== 'function')
    throw new HaltError('HALT_E_STORE_OPTION', `${name} got no store.`, fix)
  const fields = options as Readonly<Record<string, unknown>>
  checkNames(fields, [...own, ...OPTIONS], name)
  checkType(fields, 'control', 'object', 'HALT_E_OPTION')
  const warn = warnOnce(options.warn)
  const notify = notifier(options.telemetry, warn)
  const control = options.control as GateSource | undefined
  control?.noteStore(store, warn)
  return {
    digest: makeDigest(options.secret, warn),
    ipv6Prefix: checkPrefix(options.ipv6Prefix),
    notify,
    store: strictStore(store, options.storeTimeout, warn, notify, listener?.(notify)),
    control,
    warn,
  }
}
