import type { Fate } from './simulated-server.ts'

/** An answer later than this is of no use: the client has left. */
const DEADLINE = 1000

export interface Figures {
  readonly offered: number
  /** Answers in time. */
  readonly good: number
  readonly refused: number
  /** Admitted, and answered too late or not at all. */
  readonly failed: number
  /** The 99th percentile of the latency of those admitted, in milliseconds. */
  readonly p99: number
  /** The share of requests that were refused, from 0 to 1. */
  readonly refusedShare: number
  readonly failedShare: number
  readonly goodShare: number
}

/** Sums up the requests that came in a stretch of time, or those of them that a filter chooses. */
export function figuresOf(
  fates: readonly Fate[],
  from: number,
  to: number,
  chooses: (fate: Fate) => boolean = () => true,
): Figures {
  const within = fates.filter(fate => fate.came >= from && fate.came < to && chooses(fate))
  const latencies = within
    .filter(({ refused }) => !refused)
    .map(({ failed, latency = Number.POSITIVE_INFINITY }) => (failed ? Number.POSITIVE_INFINITY : latency))
    .sort((a, b) => a - b)
  const good = latencies.filter(latency => latency <= DEADLINE).length
  const refused = within.length - latencies.length
  const failed = latencies.length - good
  const offered = within.length
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0
  const share = (count: number): number => (offered === 0 ? 0 : count / offered)
  return {
    offered,
    good,
    refused,
    failed,
    p99,
    refusedShare: share(refused),
    failedShare: share(failed),
    goodShare: share(good),
  }
}
