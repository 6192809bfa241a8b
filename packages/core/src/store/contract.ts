import type { HaltWarning } from '../base/errors.ts'
import type { Edges, PenaltyRule, Rule, State } from '../algorithms/index.ts'

/** What a {@link Demand} asks for. */
export const Mode = {
  /** Take the units if all of the group passes. */
  CHARGE: 0,
  /** As `CHARGE`, but its refusal refuses nobody. */
  SHADOW: 1,
  /** Take nothing, keep nothing. */
  PEEK: 2,
  /** Take the units (or, when negative, give them back) whatever the limit says. */
  SETTLE: 3,
  /** Judge as `CHARGE`, but take nothing yet: what it costs is known when the request has ended. */
  HOLD: 4,
  /** Refuse, and keep refusing for the rule's `block`: what a store forgot is told to it again. */
  BLOCK: 5,
  /** Add the cost to what a quota allows until its period ends. Never refused. */
  GRANT: 6,
} as const
export type Mode = (typeof Mode)[keyof typeof Mode]

/** One policy's question to a store: plain data. */
export interface Demand {
  readonly rule: Rule
  /** Whose counter. */
  readonly subject: string
  /** Whole units; negative only with `SETTLE`. */
  readonly cost: number
  readonly mode: Mode
  /** Quotas: the calendar edges around now, microseconds. */
  readonly edges?: Edges | undefined
  /** `SETTLE` with a negative cost: what the charge went to. */
  readonly chargedTo?: number | undefined
  /** Whether the group's penalty applies to it. */
  readonly penalized: boolean
}

/** What a {@link PenaltyDemand} does. */
export const PenaltyMode = {
  /** Apply an active penalty; score a refusal. */
  WATCH: 0,
  /** Apply an active penalty. */
  READ: 1,
  /** Add a violation of `amount` (millionths of a point). */
  RECORD: 2,
  /** Start a penalty of `amount` microseconds. */
  APPLY: 3,
} as const
export type PenaltyMode = (typeof PenaltyMode)[keyof typeof PenaltyMode]

/** The penalty cell of a group's principal, read first and scored after judging. */
export interface PenaltyDemand {
  readonly rule: PenaltyRule
  readonly subject: string
  readonly mode: PenaltyMode
  readonly amount: number
}

/** A group that is charged once for a key, until its end. Each repeat still takes its own places in flight. */
export interface IdempotencyDemand {
  readonly subject: string
  /** The cell's name: `{counter}@{digest of the key and of what the group asks for}:i`. */
  readonly counter: string
  /** How long the key lives without `edges`, microseconds. */
  readonly window: number
  readonly edges?: Edges | undefined
}

/** Demands that are judged at one instant and charged together or not at all. */
export interface Group {
  readonly demands: readonly Demand[]
  readonly penalty?: PenaltyDemand | undefined
  readonly idempotency?: IdempotencyDemand | undefined
}

/** A store's raw answer to a group. */
export interface Evaluation {
  /** The store's clock at the decision, microseconds since the epoch. */
  readonly now: number
  /** Whether every enforced demand passed. */
  readonly allowed: boolean
  /** The idempotency key was seen before: nothing is judged or charged but places in flight. */
  readonly repeated: boolean
  /** Whether each demand passed. */
  readonly passes: readonly boolean[]
  /** Whether each demand's refusal started its cool-down; empty when none did. */
  readonly starts: readonly boolean[]
  /** Each counter as kept after the decision. */
  readonly states: readonly State[]
  /** When each demand was decided, by the clock of its counter, where several nodes decide; else all at `now`. */
  readonly instants?: readonly number[] | undefined
  /** The penalty's state as kept after the decision; empty when there is none. */
  readonly penalty: State
}

/** A store's failure, by kind: it was away or late, refused to work for us, or broke on our own command. */
export type StoreFailure = 'timeout' | 'unavailable' | 'misconfigured' | 'script'

/** Names one counter of a store. */
export interface CounterId {
  readonly subject: string
  readonly counter: string
}

/**
 * The atomic executor. It judges all demands of a group at one instant of its own clock; when all enforced ones pass it
 * keeps every charge, else only the cool-downs that start. {@link decide} is that loop for any store that can run code
 * beside its data.
 *
 * A store whose `evaluate` returns a verdict, not a promise, makes the whole check synchronous inside.
 */
export interface Store {
  /**
   * What it throws or rejects with may say more of the failure: `failure`, a {@link StoreFailure}; and where it has certainly
   * done nothing, so that what is lost otherwise may be asked again, either `reply`, of whatever kind: the store answered so;
   * or `unsent: true`: it was never asked.
   */
  evaluate(group: Group): Evaluation | Promise<Evaluation>
  /** Forgets counters; answers how many of them there were. One that was over, and not yet removed, may count. */
  forget(counters: readonly CounterId[]): number | Promise<number>
  /**
   * The store's clock, Unix milliseconds, where it can tell without asking anybody. Calendars go by it; without it by the
   * system's clock, put right by what verdicts say.
   */
  clock?(): number | undefined
  /** Asks whether the store answers, at no cost to anybody; rejects when it does not. */
  probe?(): Promise<unknown>
  /** How many processes share this store, as far as it knows. Who wants to know asks once at the start: it counts from then on. */
  instances?(): number
  /** Has `listener` called whenever a connection was opened anew: what leads there may have forgotten all. */
  onReconnect?(listener: () => void): void
  /** Finds what is wrong with the set-up of the store; resolves to what to tell the user. */
  inspect?(): Promise<readonly HaltWarning[]>
  /**
   * Whether its clock keeps the pace of real time, so that a refusal may be remembered in this process for a while.
   * Default false: a clock in a test jumps.
   */
  readonly keepsPace?: boolean
  /** Whether other processes count on it, too. Default true. */
  readonly isShared?: boolean
  /**
   * Whether its verdicts need no check, because {@link decide} made them in this process or the store has checked them whole.
   * Default false: the limiter checks each before it believes it.
   */
  readonly isChecked?: boolean
  /** For labels: `memory`, `redis`, … */
  readonly kind?: string
  /** How many counters it holds, where it knows without asking anybody. */
  readonly size?: number
  /** Ends what the store opened itself. */
  close?(): void | Promise<void>
}
