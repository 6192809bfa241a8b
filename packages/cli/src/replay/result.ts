import type { LogSummary } from './read-log.ts'
import type { TriedLimit } from './limits.ts'
import type { Replay } from './replay.ts'
import type { Stretch } from './timeline.ts'

/** One policy in the result of a replay. */
export interface PolicyResult {
  readonly policy: string
  /** Undefined if the policy came from a function. */
  readonly limit: number | undefined
  /** The requests that the policy counted. */
  readonly requests: number
  readonly refused: number
  /** The keys that it counted, and the keys that it refused at least once. */
  readonly keys: number
  readonly keysRefused: number
  readonly mostRefused: readonly {
    readonly key: string
    readonly requests: number
    readonly refused: number
  }[]
  /** Other limits, each alone. */
  readonly limits: readonly TriedLimit[]
  /** The smallest limit that refuses fewer keys than were asked for; undefined if none was asked for or found. */
  smallest?: number | undefined
}

/** The result of a replay: plain data, as `--json` prints it. Instants are Unix milliseconds. */
export interface ReplayResult {
  readonly log: Omit<LogSummary, 'firstSkipped'> & {
    readonly firstSkipped: readonly number[]
    readonly from: number
    readonly to: number
    readonly outOfOrder: number
    readonly mostBehindMs: number
    /** The lines that were left out, because their date is far ahead of the lines around them. */
    readonly farAhead: number
  }
  readonly requests: number
  readonly allowed: number
  readonly refused: number
  readonly exempt: number
  readonly policies: readonly PolicyResult[]
  readonly timeline: { readonly lengthMs: number; readonly stretches: readonly Stretch[] }
  readonly notes: readonly string[]
}

const MOST_KEYS_SHOWN = 20

/** Sums a replay up. @param farAhead the lines that were left out for their date */
export function resultOf(replay: Replay, log: LogSummary, farAhead: number): ReplayResult {
  const { clock, allowed, refused, exempt, timeline } = replay
  return {
    log: {
      ...log,
      from: clock.from,
      to: clock.now,
      outOfOrder: clock.outOfOrder,
      mostBehindMs: clock.mostBehind,
      farAhead,
    },
    requests: allowed + refused,
    allowed,
    refused,
    exempt,
    policies: [...replay.policies].map(([policy, { limit, keys, candidates, ...counts }]) => ({
      policy,
      limit,
      ...counts,
      keys: keys.size,
      keysRefused: keys.refusedKeys,
      mostRefused: keys.mostRefused(MOST_KEYS_SHOWN),
      limits: candidates.map((each, i) => ({
        limit: each.limit,
        refused: each.refused,
        keysRefused: keys.markedKeys(i),
      })),
    })),
    timeline: { lengthMs: timeline.length, stretches: timeline.stretches() },
    notes: notesOf(replay, log),
  }
}

function notesOf(replay: Replay, { cutShort }: LogSummary): string[] {
  const notes = [...replay.notes]
  for (const name of cutShort)
    notes.push(
      `${name} is cut or damaged in the middle of its compressed data. The rest of it is lost, and counted nowhere here.`,
    )
  for (const [name, { keys }] of replay.policies)
    if (keys.uncounted > 0)
      notes.push(
        `${name} has more than ${keys.size} keys. ${keys.uncounted} requests of the others are decided, but in no table of keys.`,
      )
  if (replay.isFull)
    notes.push(
      'There were too many active counters at once, so some were dropped and too few requests are refused. Raise --most-keys.',
    )
  const { exempt, allowed } = replay
  if (exempt > 0 && exempt * 2 > allowed)
    notes.push(
      'More than half of the requests are exempt, as health checks or private addresses. If the log names a proxy instead of the client, log X-Forwarded-For and set trustedProxies; or set exemptPrivateIps: false.',
    )
  return notes
}
