import type { TopKey } from '@halt/control'

import type { WatchedEvent } from './events.ts'
import type { StoreHealth } from './health.ts'
import type { CountedClient } from './companions.ts'
import type { WaitingLine } from './lines.ts'
import { reportCheck } from './report-check.ts'
import type { ShedderNumbers } from './shedders.ts'
import type { Tally } from './tallies.ts'
import { type Counts, HOUR, MINUTES } from './timeline.ts'

/** The numbers of one process, which it shares with the others while somebody watches. Times are Unix milliseconds. */
export interface ProcessNumbers {
  /** Its clock when it wrote this. */
  readonly now: number
  /** When it began to record. */
  readonly since: number
  /** The last two minutes, by the second. */
  readonly counts: Counts
  /** The last hour, by the quarter of a minute. */
  readonly hour: Counts
  readonly policies: readonly Tally[]
  /** The keys with the most allowed decisions, and those with the most refusals. */
  readonly used: readonly TopKey[]
  readonly refused: readonly TopKey[]
  readonly store: StoreHealth
  readonly events: readonly WatchedEvent[]
  /** The keys on which requests of the clients were counted lately that somebody looks at. */
  readonly counted: readonly CountedClient[]
  /** The keys for which most callers wait for their turn. */
  readonly lines: readonly WaitingLine[]
  /** How many callers wait for their turn. */
  readonly waiting: number
  /** Its load shedders. */
  readonly shedders: readonly ShedderNumbers[]
}

// The version of the form. Numbers of another version are left out.
const FORM = 3

/** The longest report, in characters as JSON writes them. */
const LONGEST = 15_000

/** Numbers as another process wrote them. */
type Written = Omit<ProcessNumbers, 'lines'> &
  Partial<Pick<ProcessNumbers, 'lines'>> & { readonly halt?: unknown }

/** Writes numbers for the other processes. Lists are cut if names and keys are very long. */
export function writeNumbers(numbers: ProcessNumbers): string {
  const { policies, used, refused, events, counted, shedders, lines, ...rest } = numbers
  for (let most = 32; ; most = Math.floor(most / 2)) {
    const [some, many, few, last, looked, shed, wait] = [
      policies,
      used,
      refused,
      events,
      counted,
      shedders,
      lines,
    ].map(list => list.slice(0, most))
    const text = JSON.stringify({
      halt: FORM,
      ...rest,
      policies: some,
      used: many,
      refused: few,
      events: last,
      counted: looked,
      shedders: shed,
      lines: wait,
    })
    if (most === 0 || JSON.stringify(text).length <= LONGEST) return text
  }
}

/** Reads the numbers of another process. Undefined if they are broken, or of another version. */
export function readNumbers(text: string): ProcessNumbers | undefined {
  try {
    const found = JSON.parse(text) as Written | null
    if (found?.halt !== FORM || !isWhole(found)) return undefined
    // Earlier versions told no lines.
    return { ...found, lines: found.lines ?? [] }
  } catch {
    return undefined
  }
}

const isWhole = reportCheck(MINUTES.steps, HOUR.steps)
