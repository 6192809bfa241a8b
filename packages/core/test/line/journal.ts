// What happened in a world, as its clients saw it. The judges read nothing else. All instants are microseconds of the world's clock.

/** How a call of a client ended. */
type End = 'started' | 'refused' | 'left' | 'closed' | 'failed'

/** A call of a client. */
export interface Ask {
  /** Counts the calls of the world, from 0. */
  readonly id: number
  readonly process: number
  readonly cost: number
  readonly user: string
  readonly askedAt: number
  /** Whether it waits (`acquire`). A `check` does not. */
  readonly waits: boolean
  /** Microseconds. */
  readonly maxWait: number
  end?: End
  endedAt?: number
  /** Counts the ends of the world, so that those of one instant have an order. */
  endOrder?: number
  reason?: string
  degraded?: unknown
  /** What a refusal was told, in microseconds. */
  retryAfter?: number
}

/** Units that may start beyond the rate. They count in an interval that the span touches. */
export interface Grant {
  readonly from: number
  to: number
  readonly units: number
  readonly why: string
}

/** From an instant on, a rate (units per window) or a capacity (units). */
export interface Step {
  readonly at: number
  readonly value: number
}

/** A time in which something holds. Its end may move. */
export interface Span {
  readonly from: number
  to: number
  readonly why: string
}

/** All that happened. */
export interface Journal {
  /** Microseconds in which the limit is paid back. */
  readonly window: number
  readonly asks: Ask[]
  /** The rates and the capacities of the policy, as they were set. */
  readonly rates: Step[]
  readonly capacities: Step[]
  /** For how long an old rate or capacity may still hold somewhere after it was changed, in microseconds. */
  hear: number
  /** Rates beside the policy's: the shares of processes while the store is away. */
  readonly shares: (Span & { readonly rate: number })[]
  readonly grants: Grant[]
  /** Corrections as they reached the store: units above 0 were given back, units below 0 were charged. */
  readonly corrections: { readonly at: number; readonly units: number }[]
  /** When callers may stand still though there is room: pauses, outages. */
  readonly still: Span[]
  /** When nobody, or one user, may start: a pause or a block that everybody has heard of. */
  readonly closed: (Span & { readonly user?: string })[]
  /** When a pause was last ended by something else than its time. */
  silenceEnded: number
  /** When the last block of each user ends. */
  readonly blocks: Map<string, number>
  /** Units that killed processes have left in the line. */
  killed: number
  /** When the server's clock was set, and how much later callers may start by that, in microseconds. */
  readonly clockSteps: { readonly at: number; readonly late: number }[]
  /** Whether the store lost counters, so that the order is lost too. */
  isOrderLost: boolean
  /** Whether a change of the policy is under way. */
  isChanging: boolean
  /** Whether a change was lost on its way, so that nobody knows which policy holds. */
  isUncertain: boolean
}

/** An empty journal. */
export function journal(window: number, rate: number, capacity: number): Journal {
  return {
    window,
    asks: [],
    rates: [{ at: -Infinity, value: rate }],
    capacities: [{ at: -Infinity, value: capacity }],
    hear: 0,
    shares: [],
    grants: [],
    corrections: [],
    still: [],
    closed: [],
    silenceEnded: -Infinity,
    blocks: new Map(),
    killed: 0,
    clockSteps: [],
    isOrderLost: false,
    isChanging: false,
    isUncertain: false,
  }
}

/** The calls that started, in order. */
export function startsOf({
  asks,
}: Journal): (Ask & { readonly endedAt: number; readonly endOrder: number })[] {
  return asks
    .filter(({ end }) => end === 'started')
    .map(ask => ask as Ask & { readonly endedAt: number; readonly endOrder: number })
    .toSorted((a, b) => a.endOrder - b.endOrder)
}
