import type { ProcessNumbers } from './report.ts'
import { HOUR } from './timeline.ts'

/** How far apart clocks may be without notice, in milliseconds. */
const APART_MS = 6_000

/** The numbers of a process by the clock of the reader. */
export interface SeenNumbers extends ProcessNumbers {
  /** The process: a random text. */
  readonly id: string
  /** How far its clock is ahead of the reader's, in milliseconds; 0 if they are about equal. */
  readonly ahead: number
}

/**
 * Finds out how far the clocks of other processes are apart from this one's. A process that has just written numbers has a clock that
 * shows this moment, so the difference shows when they change.
 */
export class Clocks {
  #seen = new Map<string, { readonly wrote: number; readonly ahead: number }>()

  /** Moves the numbers of processes to the reader's clock. @param now the reader's clock, in Unix milliseconds */
  read(all: readonly (ProcessNumbers & { readonly id: string })[], now: number): SeenNumbers[] {
    const seen = new Map<string, { readonly wrote: number; readonly ahead: number }>()
    for (const { id, now: wrote } of all) {
      const known = this.#seen.get(id)
      const ahead = known === undefined ? 0 : known.wrote === wrote ? known.ahead : wrote - now
      seen.set(id, { wrote, ahead: Math.abs(ahead) < APART_MS ? 0 : ahead })
    }
    this.#seen = seen
    return all.map(numbers => moved(numbers, seen.get(numbers.id)?.ahead ?? 0))
  }
}

function moved(numbers: ProcessNumbers & { readonly id: string }, ahead: number): SeenNumbers {
  if (ahead === 0) return { ...numbers, ahead }
  const { counts, hour, policies, events, counted, lines, store } = numbers
  return {
    ...numbers,
    ahead,
    now: numbers.now - ahead,
    since: numbers.since - ahead,
    counts: { ...counts, second: counts.second - Math.round(ahead / 1000) },
    hour: { ...hour, second: hour.second - Math.round(ahead / 1000 / HOUR.seconds) * HOUR.seconds },
    counted: counted.map(({ token, under }) => ({
      token,
      under: under.map(one => ({ ...one, at: one.at - ahead })),
    })),
    policies: policies.map(tally => ({ ...tally, at: tally.at - ahead })),
    events: events.map(event => ({ ...event, at: event.at - ahead })),
    lines: lines.map(line => ({ ...line, since: line.since - ahead })),
    store: { ...store, since: store.since - ahead },
  }
}
