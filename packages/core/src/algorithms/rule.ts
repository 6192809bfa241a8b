import type { Edges } from './period.ts'

/**
 * A policy compiled to numbers: all that an algorithm, in TypeScript or in Lua, ever sees of it.
 * Times are whole microseconds. Plain data: it crosses the store boundary.
 */
export interface Rule {
  /** Which algorithm, by its letter in {@link codes}. */
  readonly code: AlgorithmCode
  /** Names the counter beside the subject: `{counter}:{letter}`. */
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

/** The letter that stands for each algorithm, in keys and on the wire. */
export const codes = {
  'token-bucket': 't',
  'fixed-window': 'f',
  'sliding-window': 's',
  concurrency: 'c',
  quota: 'q',
} as const

export type AlgorithmCode = (typeof codes)[keyof typeof codes]

/** The arithmetic of one algorithm: pure, no clock, no I/O. */
export interface Algorithm {
  /** Whether `cost` units fit at `now`. Does not look at the cool-down. */
  fits(state: State, now: number, cost: number, rule: Rule): boolean
  /** Takes `cost` units at `now`, whether they fit or not: changes `state` in place. */
  charge(state: State, now: number, cost: number, rule: Rule, edges?: Edges): void
  /** Adds `amount` units to what the present period allows: quotas alone. */
  grant?(state: State, now: number, amount: number, rule: Rule, edges?: Edges): void
  /** The numbers of a counter on which nothing is charged, behind its cool-down. */
  idle(now: number, rule: Rule): readonly number[]
  /** Gives back at most `amount` units of those that `receipt` names and that still count. */
  refund(state: State, now: number, amount: number, rule: Rule, receipt: number): void
  /** The instant from which `state`, its cool-down aside, equals a fresh one. */
  freshAt(state: State): number
  /** Units that count at `now`, rounded up. */
  used(state: State, now: number, rule: Rule): number
  /** Units left at `now`, whole, not below 0. */
  remaining(state: State, now: number, rule: Rule): number
  /** Microseconds until `cost` units fit if nobody else asks; `Infinity` when they never will. */
  wait(state: State, now: number, cost: number, rule: Rule): number
  /** Names what a charge made at `now` went to, for a later {@link refund}. */
  chargedTo(state: State, now: number, rule: Rule): number
}

/** The largest integer that a double holds exactly together with all below it. */
export const MAX_EXACT: number = Number.MAX_SAFE_INTEGER
