import type { TopKey } from '@halt/control'

import { MOST_EVENTS, type WatchedEvent } from './events.ts'
import { mergeLines } from './lines.ts'
import { MOST_KEYS } from './recorder.ts'
import type { ProcessNumbers } from './report.ts'
import { leftOf, type Tally } from './tallies.ts'
import { type Counts, HOUR, MINUTES, type Span } from './timeline.ts'

/** The numbers of all processes together. */
export type MergedNumbers = Omit<ProcessNumbers, 'now' | 'store' | 'counted' | 'shedders'>

/** Adds the numbers of processes up. @param now Unix milliseconds */
export function merge(all: readonly ProcessNumbers[], now: number): MergedNumbers {
  const policies = all.flatMap(each => each.policies)
  return {
    since: Math.min(now, ...all.map(({ since }) => since)),
    counts: mergeCounts(
      all.map(({ counts }) => counts),
      MINUTES,
      now,
    ),
    hour: mergeCounts(
      all.map(({ hour }) => hour),
      HOUR,
      now,
    ),
    policies: mergePolicies(policies, now),
    used: mergeKeys(all.flatMap(({ used }) => used)),
    refused: mergeKeys(all.flatMap(({ refused }) => refused)),
    events: mergeEvents(all.flatMap(({ events }) => events)),
    lines: mergeLines(all.flatMap(({ lines }) => lines)),
    waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
  }
}

function mergeCounts(all: readonly Counts[], { steps, seconds }: Span, now: number): Counts {
  const second = Math.floor(now / 1000 / seconds) * seconds
  const column = (name: Exclude<keyof Counts, 'second'>): number[] =>
    Array.from({ length: steps }, (_, i) =>
      all.reduce((sum, counts) => sum + (counts[name][i + (second - counts.second) / seconds] ?? 0), 0),
    )
  return {
    second,
    allowed: column('allowed'),
    refused: column('refused'),
    exempt: column('exempt'),
    degraded: column('degraded'),
  }
}

function mergePolicies(all: readonly Tally[], now: number): Tally[] {
  const merged = new Map<string, Tally>()
  for (const tally of all) {
    const known = merged.get(tally.policy)
    if (known === undefined) {
      merged.set(tally.policy, tally)
      continue
    }
    const [tightest] = [known, tally].toSorted((a, b) => leftOf(a, now) - leftOf(b, now)) as [Tally]
    merged.set(tally.policy, {
      ...tightest,
      allowed: known.allowed + tally.allowed,
      refused: known.refused + tally.refused,
      scarce: mostOf(known.scarce, tally.scarce),
    })
  }
  return [...merged.values()].sort((a, b) => leftOf(a, now) - leftOf(b, now))
}

/** Processes see the same scarce seconds, so they are not added up. */
function mostOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}

function mergeKeys(all: readonly TopKey[]): TopKey[] {
  const merged = new Map<string, TopKey>()
  for (const { policy, key, count, error } of all) {
    const id = `${policy} ${key}`
    const known = merged.get(id)
    merged.set(id, { policy, key, count: count + (known?.count ?? 0), error: error + (known?.error ?? 0) })
  }
  return [...merged.values()].sort((a, b) => b.count - a.count).slice(0, MOST_KEYS)
}

function mergeEvents(all: readonly WatchedEvent[]): WatchedEvent[] {
  return all.toSorted((a, b) => b.at - a.at).slice(0, MOST_EVENTS)
}
