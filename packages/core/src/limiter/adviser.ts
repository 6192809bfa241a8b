import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { KeyWatcher } from './key-watcher.ts'
import type { RateLimiterOptions } from './options.ts'

type Costs = Readonly<Record<string, unknown>>
type Named = readonly { readonly name: string }[]

/**
 * Warns of settings and calls that work but are probably a mistake. `misuse` fills it. Bundles and edge runtimes have none: nobody reads
 * its warnings there.
 */
export interface Adviser {
  /** A limiter was made. */
  readonly noticeMisuse: (
    options: RateLimiterOptions<never>,
    policies: readonly CompiledPolicy[],
    instances: number | 'auto',
    warn: Warn,
  ) => void
  /** Durations were given. */
  readonly noticeMilliseconds: (whose: string, fields: object, warn: Warn) => void
  /** A list of policies met its first request. */
  readonly noticeUse: (policies: readonly CompiledPolicy[]) => void
  /** A call has a cost by name. */
  readonly noticeCostNames: (cost: Costs, policies: Named, warn: Warn) => void
  /** A call was reserved with one number for several policies. */
  readonly noticeUnits: (
    policies: readonly Pick<CompiledPolicy, 'unit' | 'countsRequests'>[],
    warn: Warn,
  ) => void
  /** A cost function returned names that are not all policies. */
  readonly noticeStrangeNames: (cost: Costs, policies: Named, warn: Warn) => void
  /** Watches the keys that the extractors of a limiter return. */
  readonly watchKeys: (warn: Warn) => KeyWatcher
}
