import type { ProcessNumbers } from './report.ts'
import type { Counts } from './timeline.ts'

/** How long the numbers of a process count after it wrote them last, in milliseconds. */
const FRESH_MS = 10_000
/** How far apart clocks may be without notice, in milliseconds. */
const APART_MS = 5_000

/** The numbers of a process by the clock of the reader. */
export interface SeenNumbers extends ProcessNumbers {
  /** How far its clock is ahead of the reader's, in milliseconds; 0 if they are about equal. */
  readonly ahead: number
}

/** Tells which numbers of other processes are fresh, although their clocks may be apart. */
export class Clocks {
  readonly #seen = new Map<string, { readonly wrote: number; readonly at: number; readonly ahead: number }>()

  /** The numbers that are fresh. @param now the reader's clock, in Unix milliseconds */
  fresh(all: readonly ProcessNumbers[], now: number): SeenNumbers[] {
    const fresh = all.flatMap(numbers => this.#see(numbers, now))
    for (const [id, { at }] of this.#seen) if (now - at > FRESH_MS) this.#seen.delete(id)
    return fresh
  }

  // A process that has just written has a clock that shows this moment. At first sight nobody knows when it wrote.
  #see(numbers: ProcessNumbers, now: number): SeenNumbers[] {
    const known = this.#seen.get(numbers.id)
    const isNew = known?.wrote !== numbers.now
    if (isNew) {
      const ahead = known === undefined ? 0 : numbers.now - now
      const settled = Math.abs(ahead) < APART_MS ? 0 : ahead
      this.#seen.set(numbers.id, { wrote: numbers.now, at: now, ahead: settled })
    }
    const { at, ahead, wrote } = this.#seen.get(numbers.id) as { at: number; ahead: number; wrote: number }
    const isFresh = known === undefined ? Math.abs(now - wrote) < FRESH_MS : now - at < FRESH_MS
    return isFresh ? [moved(numbers, ahead)] : []
  }
}

function moved(numbers: ProcessNumbers, ahead: number): SeenNumbers {
  if (ahead === 0) return { ...numbers, ahead }
  return {
    ...numbers,
    ahead,
    now: numbers.now - ahead,
    since: numbers.since - ahead,
    counts: movedCounts(numbers.counts, Math.round(ahead / 1000)),
    policies: numbers.policies.map(tally => ({ ...tally, at: tally.at - ahead })),
    events: numbers.events.map(event => ({ ...event, at: event.at - ahead })),
  }
}

function movedCounts(counts: Counts, seconds: number): Counts {
  return { ...counts, second: counts.second - seconds }
}
