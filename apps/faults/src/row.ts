import type { Place } from './place.ts'

/** What came of one scene, and where it fell short. What was not measured is absent. */
export interface Row {
  readonly fault: string
  readonly place: Partial<Place>
  /** Good requests that passed, of all. */
  readonly good?: { readonly passed: number; readonly asked: number }
  /** How long the slowest good request waited, milliseconds. */
  readonly slowest?: number
  /** The 99th percentile of it while the breaker was open, milliseconds. */
  readonly p99?: number | undefined
  /** Units beyond the limit: of a key that was known to be refused, and of one that came with the fault. */
  readonly over?: { readonly known: number; readonly fresh?: number }
  /** How long the store did not decide again after the fault, milliseconds. */
  readonly back?: number
  /** How late a bare timer of the same process was in the time of a deadline, milliseconds: what the machine added to a wait. */
  readonly machine?: number
  /** What the process's memory grew by, MB. */
  readonly heap?: number
  /** The longest turn of the event loop, milliseconds. */
  readonly turn?: number
  readonly note?: string
  /** Which bounds were missed, and by what. */
  readonly missed: readonly string[]
}

/** The bounds that hold for every fault: milliseconds, MB. */
export const BOUNDS = {
  /** The deadline of a request, and what deciding here may take. */
  slowest: 100 + 20,
  p99: 25,
  back: 2_000,
  heap: 5,
  turn: 50,
} as const

/** Collects what is missed. */
export class Judgement {
  readonly missed: string[] = []

  /** Demands that a number does not exceed another. */
  atMost(what: string, value: number | undefined, most: number): void {
    if (value !== undefined && !(value <= most)) this.missed.push(`${what}: ${round(value)} > ${round(most)}`)
  }

  /** Demands a number exactly. */
  exactly(what: string, value: number, due: number): void {
    if (value !== due) this.missed.push(`${what}: ${value}, not ${due}`)
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
