import type { Awaitable } from '../base/promises.ts'
import type { QuotaFields, RateFields } from '../policy/policy.ts'

/** What a policy for any framework may have in place of callbacks that read the framework's request. */
interface WithoutRequest {
  readonly keyExtractor?: (() => Awaitable<string | null | undefined>) | undefined
}

// Beside it, the compiler still knows the framework's request in callbacks such as `skip`.
/** A rate policy that reads nothing of a request, so it fits every framework. */
export interface Preset extends RateFields, WithoutRequest {
  readonly headroom?: number | (() => number) | undefined
}

/** A quota that reads nothing of a request, so it fits every framework. */
export interface QuotaPreset extends QuotaFields, WithoutRequest {}
