import type { Place } from './place.ts'

/** The results of one scene, and the bounds that it missed. A value that was not measured is absent. */
export interface Row {
  readonly fault: string
  readonly place: Partial<Place>
  /** Good requests that passed, of all good requests. */
  readonly good?: { readonly passed: number; readonly asked: number }
  /** The wait of the slowest good request, in milliseconds. */
  readonly slowest?: number
  /** The 99th percentile of the wait while the breaker was open, in milliseconds. */
  readonly p99?: number | undefined
  /** Units beyond the limit: of the known abuser, of the new one, and of the busy key of a leased policy. */
  readonly over?: { readonly known: number; readonly fresh?: number; readonly leased?: number }
  /** The time from the end of the fault until the store decided again, in milliseconds. */
  readonly back?: number
  /** The delay of a bare timer of the same process within the time of a deadline, in milliseconds: caused by the machine. */
  readonly machine?: number
  /** The growth of the process's memory, in MB. */
  readonly heap?: number
  /** The longest turn of the event loop, in milliseconds. */
  readonly turn?: number
  readonly note?: string
  /** The bounds that were missed, with the values. */
  readonly missed: readonly string[]
}

/** The bounds for every fault, in milliseconds and MB. */
export const BOUNDS = {
  /** The deadline of a request, and 20 ms to decide without the store. */
  slowest: 100 + 20,
  p99: 25,
  back: 2_000,
  heap: 5,
  turn: 50,
  /** Half a deadline. A machine whose timers are later than this is starved. */
  starved: 50,
} as const

/** Collects the bounds that were missed. */
export class Judgement {
  readonly missed: string[] = []

  /** Requires that a number does not exceed another. */
  atMost(what: string, value: number | undefined, most: number): void {
    if (value !== undefined && !(value <= most)) this.missed.push(`${what}: ${round(value)} > ${round(most)}`)
  }

  /** Requires an exact number. */
  exactly(what: string, value: number, due: number): void {
    if (value !== due) this.missed.push(`${what}: ${value}, not ${due}`)
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
