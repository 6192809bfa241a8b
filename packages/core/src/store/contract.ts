import type { HaltWarning } from '../base/warnings.ts'
import type { Edges, HeldUnits, PenaltyRule, Place, Rule, Ticket } from '../algorithms/index.ts'
import type { StoreDocument } from './document.ts'
import type { ChargeAnswer } from './admitted.ts'
import type { Evaluation } from './evaluation.ts'

/**
 * What a {@link Demand} does with its counter. It **asks**, and may be refused, or it **tells**, and never is. Nobody asks and tells about
 * one counter in one group.
 *
 * | who calls                                            | what its demands are                                                  |
 * | ---------------------------------------------------- | --------------------------------------------------------------------- |
 * | a request, `check`, `consume`                        | `CHARGE` of each policy; `SHADOW` of one that only reports             |
 * | a request under a policy with `inFlight`             | `DEFER`; at its end `SETTLE`                                           |
 * | `peek`, `explain`, `checkQuota`                      | `PEEK`                                                                |
 * | … with `headroom`, `least`, a wait, a `fair` policy  | … with `headroom`, `least`, `maxWait`, `share`                          |
 * | a call that reserves units of a quota                | `CHARGE` with `keptFor`; to pay, with `held`; to keep them, with both  |
 * | a lease                                              | `CHARGE` of a bucket with `least` and `keptFor`                        |
 * | a caller whose turn in line has come                 | `CHARGE` with its `place`                                             |
 * | `settle`, `release`, a refund, the end of a lease    | `SETTLE`; of units that a call holds, with `held`                     |
 * | a caller that leaves the line, or comes back         | `SETTLE` with its `place`; one with a ticket, with that                |
 * | `grantQuota`                                         | `GRANT`                                                               |
 * | `pause`, a block that an outage delayed              | `BLOCK`                                                               |
 * | callers that want to know how far the line is        | `LOOK`                                                                |
 * | `reset`, `resetQuota`                                | `RESET`                                                               |
 */
export const Mode = {
  // What asks.
  /** Charge the cost if every demand of the group passes that may refuse it. */
  CHARGE: 0,
  /** Like `CHARGE`, but a refusal of this demand does not refuse the group. */
  SHADOW: 1,
  /** Test whether the cost fits, and write nothing. */
  PEEK: 2,
  /** Decide like `CHARGE`, but charge nothing. The charge follows when the request has ended and its cost is known. */
  DEFER: 3,
  // What tells.
  /** Charge the cost, or refund it if it is negative, whatever the limit. */
  SETTLE: 4,
  /** Add the cost to a quota's limit until its period ends. A negative cost takes granted units back, at most all of them. */
  GRANT: 5,
  /** Start the rule's cool-down, or prolong one that ends earlier. */
  BLOCK: 6,
  /** Bring the line of a bucket to this instant, under the numbers of the rule. Does nothing without a line. */
  LOOK: 7,
  /**
   * End the cool-down of a bucket, and forget the charged units; of a line, a capacity. The line stays. Of a window or a quota, forget
   * the units used in its present period; grants and holds stay, and older charges cannot be refunded any more.
   */
  RESET: 8,
} as const
export type Mode = (typeof Mode)[keyof typeof Mode]

/** Whether a demand tells its counter something, and is never refused. */
export function tells({ mode }: Pick<Demand, 'mode'>): boolean {
  return mode >= Mode.SETTLE
}

/** What a caller accepts instead of its whole cost at once, and what it has in the counter already. Nearly every demand comes without. */
export interface Terms {
  /**
   * The longest wait that the caller accepts, in microseconds. A bucket then gives the caller a place in its line: it charges the
   * cost at once, and the caller waits for its turn. Default 0.
   */
  readonly maxWait?: number | undefined
  /** The fewest units that the caller accepts, if the cost does not fit. Default: the whole cost. */
  readonly least?: number | undefined
  /** The share of the capacity that the demand must leave to others, 0 to 1. Default 0. */
  readonly headroom?: number | undefined
  /**
   * How long the caller may keep the units before it uses them, in microseconds. A bucket is charged as if they were used at its end. A
   * quota holds them: they are not used yet, and are free again when their time is over. Default 0: they are used at once.
   */
  readonly keptFor?: number | undefined
  /**
   * A place in the line of a bucket. `CHARGE`: the turn of this place has come, so the demand passes, and nothing is charged again.
   * `SETTLE` with a negative cost: the caller leaves this place. `SETTLE` with a positive cost: callers get places at the end, in one
   * block; the numbers of the place do not count.
   */
  readonly place?: Place | undefined
  /**
   * Units of a quota that the call holds. They are given back in the same step, as far as they are still held. `CHARGE`: so far the
   * cost needs no room, and passes.
   */
  readonly held?: HeldUnits | undefined
  /** The tenant's share of the counter, where tenants share it fairly. */
  readonly share?: Share | undefined
}

/**
 * A tenant's share of a counter that tenants share fairly: the pool. The tenant has a counter of its own beside the pool, for the same
 * subject. The demand passes if both let it pass, and changes both.
 */
export interface Share {
  /** Names the tenant's counter: `shareRuleOf` makes it of the pool's rule. */
  readonly rule: Rule
  /** The tenant's weight, a whole number from 1 to 100. */
  readonly weight: number
  /**
   * The turn that the store promised the tenant. `CHARGE`, with `maxWait`: the tenant asks again. `SETTLE` with a negative cost: it gives
   * the turn back, for which the pool was charged nothing.
   */
  readonly ticket?: Ticket | undefined
  /** Whether the store promises the tenant its next turn where its turn has not come. Only with `maxWait`. Default false. */
  readonly wantsTicket?: boolean | undefined
}

/** What one policy asks of a store for one request. Plain data. */
export interface Demand {
  readonly rule: Rule
  /** Names the client that the counter belongs to. */
  readonly subject: string
  /** Whole units; negative only with `SETTLE` and `GRANT`. */
  readonly cost: number
  readonly mode: Mode
  /** Quotas: the calendar edges around now, in microseconds. */
  readonly edges?: Edges | undefined
  /**
   * `SETTLE` with a negative cost: the part of the counter that the charge went to. Of a bucket, the instant of the charge: the units
   * that time has paid back since are not given back. 0 gives back all.
   */
  readonly chargedTo?: number | undefined
  /** Whether the group's penalty applies to this demand. */
  readonly penalized: boolean
  readonly terms?: Terms | undefined
}

/** What a {@link PenaltyDemand} does to the penalty. */
export const PenaltyMode = {
  /** Apply an active penalty, and score a violation if the group is refused. */
  WATCH: 0,
  /** Apply an active penalty. */
  READ: 1,
  /** Add a violation of `amount` (millionths of a point). */
  RECORD: 2,
  /** Start a penalty of `amount` microseconds. */
  APPLY: 3,
} as const
export type PenaltyMode = (typeof PenaltyMode)[keyof typeof PenaltyMode]

/** The penalty counter of a group. The store reads it before it decides the demands, and scores it afterwards. */
export interface PenaltyDemand {
  readonly rule: PenaltyRule
  readonly subject: string
  readonly mode: PenaltyMode
  /** Millionths of a point with `RECORD`, microseconds with `APPLY`. */
  readonly amount: number
}

/**
 * Makes a group be charged once per idempotency key. A repeat charges nothing but its own units in flight. The key of a group that
 * charges nothing is not kept.
 */
export interface IdempotencyDemand {
  readonly subject: string
  /** The counter's name: `{counter}@{digest of the key and of the group's demands}:i`. */
  readonly counter: string
  /** How long the key is remembered, in microseconds. Where there are `edges`, until the period ends instead. */
  readonly window: number
  readonly edges?: Edges | undefined
}

/** Demands that a store decides at one instant, and charges together or not at all. */
export interface Group {
  readonly demands: readonly Demand[]
  readonly penalty?: PenaltyDemand | undefined
  readonly idempotency?: IdempotencyDemand | undefined
}

/**
 * Why a store failed: it did not reply in time, it was not reachable, it has no memory or disk left, its set-up does not let Halt
 * work, or Halt's own script or its reply was wrong.
 */
export type StoreFailure = 'timeout' | 'unavailable' | 'full' | 'misconfigured' | 'script'

/** A text that lies beside the counters of one node of a store, and is lost with them: no two of one node are equal. */
export interface StoreMark {
  /** Finds the text, and writes a new one where there is none. Rejects as `evaluate` does. */
  read(): Promise<string>
}

/** Names one counter of a store. */
export interface CounterId {
  readonly subject: string
  readonly counter: string
}

/**
 * Holds the counters and decides groups atomically.
 *
 * A store decides all demands of a group at one instant of its own clock. If all enforced demands pass, it writes every charge.
 * Otherwise it writes only the cool-downs that start. `decide` is that loop, for a store that can run code beside its data.
 *
 * If `evaluate` returns an {@link Evaluation} and not a promise, Halt makes the whole check without waiting. Such a store may be shared
 * with other processes, as a file is. It then brings `resilience`, because it can fail, and bounds its own wait: no `storeTimeout` ends a
 * call that does not return.
 */
export interface Store {
  /**
   * Decides a group.
   *
   * An error may carry fields that describe the failure. `failure` is a {@link StoreFailure}. `reply`, of any type, says that
   * the store replied with an error; `unsent: true` says that the store was never asked. In both cases the store applied
   * nothing, so Halt may retry a correction or a write-back. `counter`, a text, names a counter that cannot be read: the store works,
   * so Halt goes on asking it about all others.
   */
  evaluate(group: Group): Evaluation | Promise<Evaluation>
  /**
   * Charges one token bucket, fixed window or sliding window, as `evaluate` decides a group of one such demand. The answer may be a
   * refusal, so read `allowed`. Returns undefined if the store leaves the decision to `evaluate`. It has then changed nothing.
   * `cost` is at least 1. Only for a synchronous store: it spares the common check its group.
   */
  charge?(subject: string, rule: Rule, cost: number): ChargeAnswer | undefined
  /** Removes counters. Returns how many existed; the number may include expired counters that were not removed yet. */
  forget(counters: readonly CounterId[]): number | Promise<number>
  /**
   * The store's clock in Unix milliseconds, or undefined if it is not known without a call. Calendars use this clock. Without it
   * they use the system's clock, corrected by the instants of the store's replies.
   */
  clock?(): number | undefined
  /**
   * Tests whether the store replies, without a charge. Rejects if it does not. A store that decides at once must not let the event loop stand
   * still here, because Halt calls this beside requests that do not wait for the store.
   */
  probe?(): Promise<unknown>
  /** The number of processes that share this store, as far as it knows. It counts from the first call on, so call it at start. */
  instances?(): number
  /**
   * Tells the store that limiters of this process obey its control document, so that the processes that do can be counted. They say so
   * from then on while they read documents.
   */
  obeys?(): void
  /** Registers a listener for reconnections. A server may have lost its counters before a reconnection. */
  onReconnect?(listener: () => void): void
  /**
   * Gives the mark of the node that has the counters of a subject: the same object for all subjects of a node. Halt reads it after a
   * reconnection, and takes the node's counters for lost if the text is another one. Only for a store that can lose its counters while
   * a process runs.
   */
  mark?(subject: string): StoreMark
  /**
   * The document of a name, which all processes of the store share. Control keeps its entries in one. Its calls reject as
   * `evaluate` does.
   *
   * @param name 1 to 32 lower-case letters, digits and hyphens, the first a letter
   */
  document?(name: string): StoreDocument
  /** Looks for mistakes in the store's set-up. Resolves to the warnings for the user. */
  inspect?(): Promise<readonly HaltWarning[]>
  /**
   * Whether the store's clock advances like real time, so that this process may remember a refusal. Default false, because a
   * clock in a test jumps.
   */
  readonly keepsPace?: boolean
  /** Whether `evaluate` and `forget` never return a promise. Default false: a limiter then gives it groups of plain data alone. */
  readonly isSynchronous?: boolean
  /**
   * Makes what stands in front of the store in a limiter of `@halt/core/kernel`, so that a request gets a decision when the store does
   * not answer: `resilience` of `@halt/core/resilience`. A limiter of `@halt/core` has it for every store.
   */
  readonly evaluator?: (options: never) => object
  /** Lets policies with a `lease` take units in advance in a limiter of `@halt/core/kernel`: `leases` of `@halt/core/lease`. */
  readonly leases?: (evaluator: never, store: Store) => object
  /** Whether other processes count in the same store. Default true. */
  readonly isShared?: boolean
  /**
   * Whether the limiter may trust the store's evaluations unchecked, because `decide` made them in this process or the store has
   * checked them. Default false: the limiter checks each one.
   */
  readonly isChecked?: boolean
  /**
   * Where the data are, from the general to the special: the kind, the prefix, the server. Two stores whose places differ in a part
   * that both know share nothing. Default: not known.
   */
  readonly place?: readonly unknown[]
  /** The store's kind, for labels: `memory`, `redis`, … */
  readonly kind?: string
  /** The number of counters held, if it is known without a call. */
  readonly size?: number
  /** Closes what the store itself opened. */
  close?(): void | Promise<void>
}
