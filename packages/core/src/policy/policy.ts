import type { Duration } from '../base/duration.ts'
import type { KeyStrategy } from '../request/identity.ts'

/** How a policy counts. */
export const Algorithm = {
  TOKEN_BUCKET: 'token-bucket',
  FIXED_WINDOW: 'fixed-window',
  SLIDING_WINDOW: 'sliding-window',
  CONCURRENCY: 'concurrency',
} as const
export type Algorithm = (typeof Algorithm)[keyof typeof Algorithm]

/** What decides while the store cannot: a bounded limiter in this process, everybody passes, nobody does. */
export type OnStoreError = 'local' | 'open' | 'closed'

/** Whether a policy refuses, only reports (for all keys, or a stable share of them), or rests. */
export type PolicyMode = 'enforce' | 'shadow' | { readonly shadow: number } | 'off'

/** A value a callback gives, at once or as a promise. */
export type Awaitable<T> = T | Promise<T>

/** What rate policies and quotas have in common. `R` is the framework's request. */
export interface PolicyBase<R = unknown> {
  /** Names the policy, `[A-Za-z0-9_.-]{1,64}`. Separate names are separate counters. */
  readonly name: string
  /** Units a window (quota: a period). A whole number from 1 to 2^31. */
  readonly limit: number
  /** Units a request takes. Default 1. */
  readonly cost?: number | undefined
  /**
   * What a call's cost, given as a number, means to the policy. `"cost"`: so many units. `"requests"`: nothing, each request
   * takes the policy's own `cost`, and only a cost by name changes that. Default `"cost"`.
   */
  readonly counts?: 'cost' | 'requests' | undefined
  /** Whose requests share a counter. Default `"ip"`; quotas: `"user"`. */
  readonly keyStrategy?: KeyStrategy | undefined
  /** Gives the key; wins over `keyStrategy`. */
  readonly keyExtractor?: ((request: R) => Awaitable<string | undefined>) | undefined
  /** When there is no user, API key or extracted key: count the address, refuse, or leave the policy out. Default `"ip"`. */
  readonly onMissingKey?: 'ip' | 'deny' | 'allow' | undefined
  /** One counter for all routes, or one for each matched route. Default `"global"`. */
  readonly scope?: 'global' | 'route' | undefined
  /** Policies of one counter share what was used, so a change of plan keeps it. Default: the name. */
  readonly counter?: string | undefined
  /** Paths (`"/admin"` covers `/admin/…`), addresses and CIDRs that are not counted. Default none. */
  readonly exemptions?: readonly string[] | undefined
  /** Whether private socket peers are exempt. Default: the limiter's. */
  readonly exemptPrivateIps?: boolean | undefined
  /** Default `"enforce"`. */
  readonly mode?: PolicyMode | undefined
  /** What decides while the store cannot. Default: the limiter's. */
  readonly onStoreError?: OnStoreError | undefined
  /** A label for telemetry. */
  readonly plan?: string | undefined
}

/** A limit on the rate of requests. */
export interface RatePolicy<R = unknown> extends PolicyBase<R> {
  /** Seconds, or a decimal with a unit (`"1m"`). From 1 ms to 366 days. */
  readonly window: Duration
  /** Default `"token-bucket"`. */
  readonly algorithm?: 'token-bucket' | 'fixed-window' | 'sliding-window' | undefined
  /** Token bucket: units that may be taken at once. Default `limit`. */
  readonly burst?: number | undefined
  /** Sliding window: sub-windows, 1 to 1000. Default 10. */
  readonly precision?: number | undefined
  /** Once refused, refuse that key's every request for this long. Default: no cool-down. */
  readonly blockDuration?: Duration | undefined
  /**
   * Counts only what fails: a request takes its cost when the application has decided its response (the status, not its
   * delivery) and it failed (an adapter's `chargeWhen`, or no `settle(decision, 0)`). At most this many are let in at once
   * while that is not known. So no more than `limit + inFlight` attempts come between recorded failures, and as many good
   * ones in parallel are never refused. A request that nobody settles or releases is charged when its lease ends, after a
   * minute. Default: every request is counted at once.
   */
  readonly inFlight?: number | undefined
  readonly ttl?: undefined
}

/** A limit on requests in flight. */
export interface ConcurrencyPolicy<R = unknown> extends PolicyBase<R> {
  readonly algorithm: 'concurrency'
  /**
   * A request whose release was lost is reclaimed after this long (of a limit above 64, at most a sixty-fourth later). From
   * 1 ms to 366 days.
   */
  readonly ttl: Duration
  /** Once refused, refuse that key's every request for this long. Default: no cool-down. */
  readonly blockDuration?: Duration | undefined
  readonly window?: undefined
  readonly burst?: undefined
  readonly precision?: undefined
  readonly inFlight?: undefined
}

/** A limit: what a user wants, as plain data. */
export type Policy<R = unknown> = RatePolicy<R> | ConcurrencyPolicy<R>

/** The calendar period a quota counts in. */
export const QuotaPeriod = {
  HOURLY: 'hourly',
  DAILY: 'daily',
  WEEKLY: 'weekly',
  MONTHLY: 'monthly',
  YEARLY: 'yearly',
} as const
export type QuotaPeriod = (typeof QuotaPeriod)[keyof typeof QuotaPeriod]

/** A limit a calendar period: `limit` units from one edge to the next. */
export interface Quota<R = unknown> extends PolicyBase<R> {
  readonly period: QuotaPeriod
  /** An IANA zone whose wall clock sets the edges. Default `"UTC"`. */
  readonly timeZone?: string | undefined
  /** A billing anchor: periods begin at its time of day, weekday or day of month. Default: the calendar's own. */
  readonly anchor?: Date | undefined
  /** Shares of the limit (above 0, up to 1) that are reported once a period. Default `[0.8, 1]`. */
  readonly thresholds?: readonly number[] | undefined
}

/** Gives a request's policies. */
export type PolicyResolver<R = unknown> = (
  request: R,
) => Awaitable<Policy<R> | Quota<R> | readonly (Policy<R> | Quota<R>)[]>
