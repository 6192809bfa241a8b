import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { PenaltyConfig } from '../policy/penalty-config.ts'
import type { Caller } from '../request/caller.ts'
import type { TrustedProxies } from '../request/trusted-proxies.ts'
import type { Store } from '../store/contract.ts'

type Named = readonly { readonly name: string }[]
type NoticeCost = (cost: Readonly<Record<string, unknown>>, policies: Named, warn: Warn) => void

/** The options of a limiter that may be a mistake. */
export interface ExaminedOptions {
  readonly store: Store
  readonly clientIpHeader?: string | undefined
  readonly trustedProxies?: TrustedProxies | undefined
  readonly clientIp?: unknown
  readonly penalty?: PenaltyConfig | undefined
}

/**
 * Warns of settings and calls that work but are probably a mistake. `misuse` fills it. Bundles and edge runtimes have none: nobody reads
 * its warnings there.
 */
export interface Adviser {
  /** A limiter was made. */
  readonly noticeMisuse: (
    options: ExaminedOptions,
    policies: readonly CompiledPolicy[],
    instances: number | 'auto',
    warn: Warn,
  ) => void
  /** Durations were given. */
  readonly noticeMilliseconds: (whose: string, fields: object, warn: Warn) => void
  /** A list of policies met its first request. */
  readonly noticeUse: (policies: readonly CompiledPolicy[]) => void
  /** A call has a cost by name. */
  readonly noticeCostNames: NoticeCost
  /** A call got one number for several policies. */
  readonly noticeUnits: (
    policies: readonly Pick<CompiledPolicy, 'unit' | 'countsRequests'>[],
    warn: Warn,
  ) => void
  /** A cost function returned names that are not all policies. */
  readonly noticeStrangeNames: NoticeCost
  /** A call names its client by a bare string. */
  readonly noticeBareString: (policies: readonly CompiledPolicy[], warn: Warn) => void
  /** Watches the keys that the extractors of a limiter return. */
  readonly watchKeys: (warn: Warn) => KeyWatcher
}

/** Watches the keys that extractors return. */
export interface KeyWatcher {
  /** Whether a policy needs no further observation. */
  isDone(policy: Pick<CompiledPolicy, 'name'>): boolean
  /** Observes a key as the extractor returned it. */
  observe(policy: Pick<CompiledPolicy, 'name'>, caller: Caller, key: unknown): void
}
