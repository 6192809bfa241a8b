import type { Edges } from './period.ts'

/**
 * A policy compiled to numbers: all that an algorithm, in TypeScript or in Lua, ever sees of it.
 * Times are whole microseconds. Plain data: it crosses the store boundary.
 */
export interface Rule {
  /** Which algorithm, by its code in {@link codes}. */
  readonly code: AlgorithmCode
  /** Names the counter beside the subject: `{counter}:{code}`. */
  readonly counter: string
  /** Units a window. */
  readonly limit: number
  /** Units that can be taken at one instant: the token bucket's burst, else `limit`. */
  readonly capacity: number
  /** Token bucket: what one unit adds to the debt. */
  readonly unit: number
  /** Token bucket: what one microsecond pays back. */
  readonly rate: number
  /** Windows: their length; for leases of `concurrency`, a microsecond less than the least they live. */
  readonly window: number
  /** Sliding window: the length of a sub-window. */
  readonly slice: number
  /** Sliding window: how many sub-windows a window has. */
  readonly precision: number
  /** How long a refusal keeps the key refused; 0: not at all. */
  readonly cooldown: number
  /** The same rule while a penalty is active. */
  readonly reduced: Rule | undefined
}

/**
 * What is stored of one counter, a short tuple of whole numbers. The first is the instant at which its cool-down ends
 * (0: none); the rest is the algorithm's. An empty tuple is a fresh counter.
 */
export type State = number[]

/** The letter that stands for each algorithm in the names of counters. */
export const codes = {
  'token-bucket': 't',
  'fixed-window': 'f',
  'sliding-window': 's',
  concurrency: 'c',
  quota: 'q',
} as const

export type AlgorithmCode = (typeof codes)[keyof typeof codes]

/** How an algorithm's numbers are laid out behind the cool-down, so that a store can pack them. */
export type Layout =
  /** Instant, debt, unit and rate. */
  | 'bucket'
  /** The end of the window and what is used in it; of a quota also what was granted, where anything was. */
  | 'window'
  /** Pairs of an instant and what leaves the count at it. */
  | 'sub-windows'

/**
 * One algorithm: pure arithmetic without a clock or I/O, and the facts about it that other parts ask for. To ask a fact
 * here, instead of comparing codes elsewhere, keeps a new algorithm to one file.
 */
export interface Algorithm {
  readonly layout: Layout
  /** Whether charged units flow back continuously, at the rate in force. */
  readonly refills: boolean
  /** Whether its counters are quotas: they end at calendar instants, can be granted more, and are written back after an outage. */
  readonly isQuota: boolean
  /** Whether its units are places in flight: a release frees one early, and a repeated call takes a place of its own. */
  readonly isFlight: boolean
  /** Whether `cost` units fit at `now`. Does not look at the cool-down. */
  fits(state: State, now: number, cost: number, rule: Rule): boolean
  /** Takes `cost` units at `now`, whether they fit or not: changes `state` in place. */
  charge(state: State, now: number, cost: number, rule: Rule, edges?: Edges): void
  /** Adds `amount` units to what the present period allows. Quotas only. */
  grant?(state: State, now: number, amount: number, rule: Rule, edges?: Edges): void
  /** The numbers of a counter on which nothing is charged, behind its cool-down. */
  idle(now: number, rule: Rule): readonly number[]
  /** Gives back at most `amount` units of those that were charged to `chargedTo` and still count. */
  refund(state: State, now: number, amount: number, rule: Rule, chargedTo: number): void
  /** The instant from which `state`, its cool-down aside, equals a fresh one. */
  freshAt(state: State): number
  /** Units per window in force at `now`, grants included. */
  limit(state: State, now: number, rule: Rule): number
  /** Units that count at `now`, rounded up. */
  used(state: State, now: number, rule: Rule): number
  /** Units left at `now`, whole, not below 0. */
  remaining(state: State, now: number, rule: Rule): number
  /** Microseconds until `cost` units fit if nobody else asks; `Infinity` when they never will. */
  wait(state: State, now: number, cost: number, rule: Rule): number
  /** Names the part of the counter that a charge made at `now` went to, for a later {@link refund}. */
  chargedTo(state: State, now: number, rule: Rule): number
  /** For how long after a charge a correction of it still changes the counter, microseconds. */
  correctableFor(rule: Rule): number
}

/** The largest integer that a double holds exactly together with all below it. */
export const MAX_EXACT: number = Number.MAX_SAFE_INTEGER
