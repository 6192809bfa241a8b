import { gapOf, type Pace } from './contestant.ts'

/** A job that started: when it was asked for, and when it started. Milliseconds of one clock. */
export interface Start {
  readonly asked: number
  readonly started: number
}

// Timers and clocks round.
const ROUNDING = 0.1

const byStart = (starts: readonly Start[]): Start[] => starts.toSorted((a, b) => a.started - b.started)

/**
 * The whole jobs by which starts exceed a pace, in the worst window of any length: jobs in it, less one, less those for which the
 * pace leaves time.
 */
export function mostAbove(starts: readonly Start[], pace: Pace): number {
  const gap = gapOf(pace)
  let owed = 0
  let worst = 0
  let last = -Infinity
  for (const { started } of byStart(starts)) {
    owed = Math.max(0, owed - (started - last)) + gap
    worst = Math.max(worst, owed - gap)
    last = started
  }
  return Math.floor(worst / gap)
}

/**
 * The whole jobs by which starts are ahead of a pace that begins when the first job is asked for. A job that starts late is not held
 * against those after it, so a process without a processor does not count.
 */
export function mostAhead(starts: readonly Start[], pace: Pace): number {
  const began = Math.min(...starts.map(({ asked }) => asked))
  const ahead = byStart(starts).map(({ started }, before) => before - (started - began) / gapOf(pace))
  return Math.max(0, Math.ceil(Math.max(...ahead) - ROUNDING))
}

/** The most starts in any half-open window of a length in milliseconds. */
export function mostWithin(starts: readonly Start[], windowMs: number): number {
  const times = byStart(starts).map(({ started }) => started)
  let most = 0
  let first = 0
  for (const [i, time] of times.entries()) {
    while (time - times[first]! >= windowMs) first++
    most = Math.max(most, i - first + 1)
  }
  return most
}

/** The share of the pace that was used, from the first start to the last; 1 if all jobs came at the pace. */
export function shareUsed(starts: readonly Start[], pace: Pace): number {
  const times = byStart(starts).map(({ started }) => started)
  const took = times.at(-1)! - times[0]!
  return ((times.length - 1) * gapOf(pace)) / took
}

/** The longest time by which a job was asked for before another one that started earlier. Milliseconds; 0 if all are in order. */
export function largestInversion(starts: readonly Start[]): number {
  let latest = -Infinity
  let largest = 0
  for (const { asked } of byStart(starts)) {
    largest = Math.max(largest, latest - asked)
    latest = Math.max(latest, asked)
  }
  return largest
}
