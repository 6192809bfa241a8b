import type { Awaitable } from '../base/promises.ts'
import type { Duration } from '../base/duration.ts'
import type { KeyStrategy } from '../request/identity.ts'
import type { Fair } from './fair.ts'

/** The algorithms by which a policy can count. */
export const Algorithm = {
  TOKEN_BUCKET: 'token-bucket',
  FIXED_WINDOW: 'fixed-window',
  SLIDING_WINDOW: 'sliding-window',
  CONCURRENCY: 'concurrency',
} as const
export type Algorithm = (typeof Algorithm)[keyof typeof Algorithm]

/**
 * The way to decide requests while the store cannot reply. `"local"`: a bounded limiter in this process decides. `"open"`: every
 * request is admitted. `"closed"`: every request is refused.
 */
export type OnStoreError = 'local' | 'open' | 'closed'

/**
 * The effect of a policy. `"enforce"`: it refuses. `"shadow"`: it only reports. `{ shadow }`: it only reports for a stable share of
 * the keys, 0 to 1. `"off"`: nothing.
 */
export type PolicyMode = 'enforce' | 'shadow' | { readonly shadow: number } | 'off'

/** The fields of every policy and quota that read nothing of a request. */
// Interfaces, not Omit<…>: TypeScript 7 shows no text for the fields of mapped types.
interface PolicyFields {
  /** The policy's name, `[A-Za-z0-9_.-]{1,64}`. Policies with different names have different counters. */
  readonly name: string
  /** Units per window, or per period of a quota. A whole number from 1 to 999 999 999 999 999. */
  readonly limit: number
  /** The units that a request takes. Default 1. */
  readonly cost?: number | undefined
  /**
   * How the policy treats a cost that a call gives as a number. `"cost"`: it charges that many units. `"requests"`: it charges
   * its own `cost` instead; only a cost by name changes that. Default `"cost"`.
   */
  readonly counts?: 'cost' | 'requests' | undefined
  /** Which requests share a counter. Default `"ip"`; for quotas `"user"`. */
  readonly keyStrategy?: KeyStrategy | undefined
  /**
   * The treatment of a request without the user, API key or extracted key. `"ip"`: the policy counts its address. `"deny"`: it is
   * refused. `"allow"`: the policy does not apply. Default `"ip"`.
   */
  readonly onMissingKey?: 'ip' | 'deny' | 'allow' | undefined
  /** `"global"`: one counter for all routes. `"route"`: one per matched route. Default `"global"`. */
  readonly scope?: 'global' | 'route' | undefined
  /** The counter's name. Policies with the same counter share used units, so a change of plan keeps them. Default: `name`. */
  readonly counter?: string | undefined
  /** Paths, addresses and CIDRs that are not counted. `"/admin"` also covers `/admin/…`. Default: none. */
  readonly exemptions?: readonly string[] | undefined
  /** Whether requests from private socket peers are not counted. Default: the limiter's option. */
  readonly exemptPrivateIps?: boolean | undefined
  /** Whether the policy refuses, only reports, or does nothing. Default `"enforce"`. */
  readonly mode?: PolicyMode | undefined
  /** The way to decide requests while the store cannot reply. Default: the limiter's option. */
  readonly onStoreError?: OnStoreError | undefined
  /**
   * Lets each process take units in advance. It never admits too much. It may refuse too early, by the units that other processes
   * hold and do not use, for `idle` at most. Not for `concurrency`, nor with `inFlight` or `blockDuration`. It does nothing in a
   * limiter whose penalty scores refusals. Default: every check asks the store.
   */
  readonly lease?: Lease | undefined
  /** A label for telemetry. */
  readonly plan?: string | undefined
  /**
   * What a unit is, for people: `"tokens"`, `"usd-micro"`. Headers, `usage`, `explain` and the operator's page show it. Up to 32 letters,
   * digits, `_`, `.`, `/` or `-`. Default: not said.
   */
  readonly unit?: string | undefined
}

/** The fields that rate policies, concurrency policies and quotas share. `R` is the framework's request. */
export interface PolicyBase<R = unknown> extends PolicyFields {
  /** Returns the key to count under, or nothing if the request has none. Used instead of `keyStrategy`. */
  readonly keyExtractor?: ((request: R) => Awaitable<string | null | undefined>) | undefined
}

/** Lets a process take units in advance, so that most checks of a busy key need no call to the store. */
export interface Lease {
  /** The share of the units left that one process holds at most, above 0 and up to 0.5. Many processes hold half of them together. */
  readonly share: number
  /** The longest time for which a process keeps units that it does not use, from 10 ms to 10 s. Default 500 ms. */
  readonly idle?: Duration | undefined
}

/** The share of the capacity that a request leaves to more important ones, 0 to 1, or a function that returns it for a request. */
export type Headroom<R = unknown> = number | ((request: R) => number)

/** The fields of a rate policy that read nothing of a request. */
export interface RateFields extends PolicyFields {
  /** The window's length: seconds, or a decimal with a unit (`"1m"`). From 1 ms to 366 days. */
  readonly window: Duration
  /** How the policy counts. Default `"token-bucket"`. */
  readonly algorithm?: 'token-bucket' | 'fixed-window' | 'sliding-window' | undefined
  /** Token bucket: the units that can be taken at once. Default `limit`. */
  readonly burst?: number | undefined
  /** Sliding window: the number of sub-windows, 1 to 1000. Default 10. */
  readonly precision?: number | undefined
  /** The cool-down: after a refusal, every request of that key is refused for this long. Default: no cool-down. */
  readonly blockDuration?: Duration | undefined
  /**
   * Charges only failed requests, and is the most requests of a key that may be undecided at once. A request is charged when the
   * application has decided its response (the status, not the delivery) and the request failed (by an adapter's `chargeWhen`, or
   * without `settle(decision, 0)`). So at most `limit + inFlight` attempts come between recorded failures, and `inFlight` good
   * requests in parallel are never refused. A request that the application neither settles nor releases is charged when its permit
   * ends, after 60 s. Default: every request is charged at once.
   */
  readonly inFlight?: number | undefined
  readonly ttl?: undefined
  readonly period?: undefined
}

/** A limit on the units per window. */
export interface RatePolicy<R = unknown> extends RateFields, PolicyBase<R> {
  /**
   * The share of the capacity that a request must leave to more important ones. A request that would take it is refused with the
   * reason `"reserved"`, and starts no cool-down. A function that fails gives half. Identities leave nothing if it is a function.
   * Default 0.
   */
  readonly headroom?: Headroom<R> | undefined
  /**
   * Lets tenants share the counter fairly. What nobody else wants is free for all. While the limit is scarce, each tenant that
   * wants more gets an equal share, times its weight. A refusal in favour of others has the reason `"fair-share"`, and starts no
   * cool-down. Only with `keyStrategy: "shared"` and a token bucket. Default: whoever asks first.
   */
  readonly fair?: Fair<R> | undefined
}

/** A limit on requests in flight. */
export interface ConcurrencyPolicy<R = unknown> extends PolicyBase<R> {
  /** Counts requests in flight. */
  readonly algorithm: 'concurrency'
  /**
   * How long a request counts as in flight if its release is lost. With a limit above 64, up to a sixty-fourth longer. From 1 ms
   * to 366 days.
   */
  readonly ttl: Duration
  /** The cool-down: after a refusal, every request of that key is refused for this long. Default: no cool-down. */
  readonly blockDuration?: Duration | undefined
  /** The share of the permits that a request must leave to more important ones. Default 0. */
  readonly headroom?: Headroom<R> | undefined
  /**
   * Lets tenants share the permits fairly: each holds at most four times as many as stay free, times its weight. Only with
   * `keyStrategy: "shared"`. Default: whoever asks first.
   */
  readonly fair?: Fair<R> | undefined
  readonly window?: undefined
  readonly burst?: undefined
  readonly precision?: undefined
  readonly inFlight?: undefined
  readonly period?: undefined
}

/** The calendar periods of quotas. */
export const QuotaPeriod = {
  HOURLY: 'hourly',
  DAILY: 'daily',
  WEEKLY: 'weekly',
  MONTHLY: 'monthly',
  YEARLY: 'yearly',
} as const
export type QuotaPeriod = (typeof QuotaPeriod)[keyof typeof QuotaPeriod]

/** The fields of a quota that read nothing of a request. */
export interface QuotaFields extends PolicyFields {
  /** The calendar period after which the units are new. */
  readonly period: QuotaPeriod
  /** The IANA time zone in which periods begin and end. Default `"UTC"`. */
  readonly timeZone?: string | undefined
  /**
   * A billing anchor: an instant at which a period begins. In `timeZone`, the other periods begin at the same minute (hourly), time of
   * day, weekday (weekly), day of the month (for the 31st: the last day of a shorter month) or date (yearly).
   * Default: the full hour, midnight, Monday, the 1st, 1 January.
   */
  readonly anchor?: Date | undefined
  /** Shares of the limit, above 0 and up to 1, that are each reported once per period. Default `[0.8, 1]`. */
  readonly thresholds?: readonly number[] | undefined
  /**
   * The status of a refusal because the quota is used up. 402 (Payment Required) has no `Retry-After`, so that clients do not repeat the
   * request, and its body says which budget it is and when it begins anew. Default: as any refusal, 429.
   */
  readonly status?: 402 | 429 | undefined
  // With these, editors show the texts of fields that policies and quotas share, and `window` beside `period` is an error.
  readonly window?: undefined
  readonly algorithm?: undefined
  readonly ttl?: undefined
  readonly burst?: undefined
  readonly blockDuration?: undefined
  readonly inFlight?: undefined
}

/** A limit of `limit` units per calendar period. */
export interface Quota<R = unknown> extends QuotaFields, PolicyBase<R> {}

/** A limit on rate, on concurrency, or per calendar period, as plain data. `R` is the framework's request, which callbacks read. */
export type Policy<R = unknown> = RatePolicy<R> | ConcurrencyPolicy<R> | Quota<R>

/** Returns the policies of a request. */
export type PolicyResolver<R = unknown> = (request: R) => Awaitable<Policy<R> | readonly Policy<R>[]>
