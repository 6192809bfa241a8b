import type { WatchedEvent } from './events.ts'
import type { StoreHealth } from './health.ts'
import type { Tally } from './tallies.ts'
import { type Counts, SECONDS } from './timeline.ts'
import type { TopKey } from './top-keys.ts'

/** The numbers of one process, which it shares with the others while somebody watches. Times are Unix milliseconds. */
export interface ProcessNumbers {
  /** The process: a random text. */
  readonly id: string
  /** Its clock when it wrote this. */
  readonly now: number
  /** When it began to record. */
  readonly since: number
  readonly counts: Counts
  readonly policies: readonly Tally[]
  /** The keys with the most decisions, and those with the most refusals. */
  readonly used: readonly TopKey[]
  readonly refused: readonly TopKey[]
  readonly store: StoreHealth
  readonly events: readonly WatchedEvent[]
  /** How many callers wait for their turn. */
  readonly waiting: number
}

// The version of the form. Numbers of another version are left out.
const FORM = 1

/** Writes numbers for the other processes. */
export function writeNumbers(numbers: ProcessNumbers): string {
  return JSON.stringify({ halt: FORM, ...numbers })
}

/** Reads the numbers of another process. Undefined if they are broken, or of another version. */
export function readNumbers(text: string): ProcessNumbers | undefined {
  try {
    const found = JSON.parse(text) as Partial<ProcessNumbers> & { readonly halt?: unknown }
    return found.halt === FORM && isWhole(found) ? (found as ProcessNumbers) : undefined
  } catch {
    return undefined
  }
}

function isWhole({ counts, policies, used, refused, events, store, ...rest }: Partial<ProcessNumbers>): boolean {
  const columns = [counts?.allowed, counts?.refused, counts?.exempt, counts?.degraded]
  return (
    typeof rest.id === 'string' &&
    [rest.now, rest.since, rest.waiting, counts?.second].every(Number.isFinite) &&
    columns.every(column => Array.isArray(column) && column.length === SECONDS) &&
    [policies, used, refused, events].every(list => Array.isArray(list)) &&
    typeof store?.kind === 'string'
  )
}
