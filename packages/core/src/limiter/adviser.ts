import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Caller } from '../request/caller.ts'
import type { RateLimiterOptions } from './options.ts'

type Costs = Readonly<Record<string, unknown>>

/**
 * Warns of settings and calls that work but are probably a mistake. `misuse` fills it. Bundles and edge runtimes have none: nobody reads
 * its warnings there.
 */
export interface Adviser {
  /** A limiter was made. */
  noticeMisuse(
    options: RateLimiterOptions<never>,
    policies: readonly CompiledPolicy[],
    instances: number | 'auto',
    warn: Warn,
  ): void
  /** Durations were given. */
  noticeMilliseconds(whose: string, fields: object, warn: Warn): void
  /** A list of policies met its first request. */
  noticeUse(policies: readonly CompiledPolicy[]): void
  /** A call has a cost by name. */
  noticeCostNames(cost: Costs, policies: readonly { readonly name: string }[], warn: Warn): void
  /** A call was reserved with one number for several policies. */
  noticeUnits(policies: readonly Pick<CompiledPolicy, 'unit' | 'countsRequests'>[], warn: Warn): void
  /** A cost function returned names that are not all policies. */
  noticeStrangeNames(cost: Costs, policies: readonly { readonly name: string }[], warn: Warn): void
  /** Watches the keys that the extractors of a limiter return. */
  watchKeys(warn: Warn): KeyWatcher
}

/** Watches the keys that extractors return. */
export interface KeyWatcher {
  /** Whether a policy needs no further observation. */
  isDone(policy: Pick<CompiledPolicy, 'name'>): boolean
  /** Observes a key as the extractor returned it. */
  observe(policy: Pick<CompiledPolicy, 'name'>, caller: Caller, key: unknown): void
}
