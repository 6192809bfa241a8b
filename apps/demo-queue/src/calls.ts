import type { RatePolicy } from '@halt/core'

/** The limit that all workers share: 10 calls per second, one after the other. */
export const CALLS = { name: 'calls', limit: 10, window: '1s', burst: 1 } as const

/** The limits of a job: per second, and per minute if it names how many calls of a minute may come at once. */
export function policiesOf({ minuteBurst }: { readonly minuteBurst?: number | undefined }): RatePolicy[] {
  if (minuteBurst === undefined) return [CALLS]
  return [CALLS, { name: 'minute', limit: 60, window: '1m', burst: minuteBurst }]
}

/** How long a call of the store may take. Longer than usual, because all processes begin at once. */
export const STORE_TIMEOUT = '2s'

/** Milliseconds between two calls. */
export const GAP = 100

/** A call that started. Times are milliseconds of one clock of the machine. */
export interface Call {
  /** The index of the worker. */
  readonly worker: number
  readonly asked: number
  readonly started: number
}

/** Milliseconds of a clock that all processes of a machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * The calls that started before their time: the first may start when it is asked for, and each further one `gap` milliseconds later.
 */
export function early(calls: readonly Call[], gap: number = GAP): readonly Call[] {
  return inOrder(calls).filter((call, i) => lead(call, i, calls, gap) > 0)
}

/** By how many calls the starts were ahead of their time, at most. */
export function mostAhead(calls: readonly Call[], gap: number = GAP): number {
  return Math.max(0, ...inOrder(calls).map((call, i) => lead(call, i, calls, gap)))
}

function inOrder(calls: readonly Call[]): readonly Call[] {
  return calls.toSorted((a, b) => a.started - b.started)
}

/** By how many calls a start is ahead of its time. @param before how many calls have started before it */
function lead({ started }: Call, before: number, calls: readonly Call[], gap: number): number {
  const began = Math.min(...calls.map(({ asked }) => asked))
  // A millisecond for the rounding of clocks.
  return Math.ceil(before - (started + 1 - began) / gap)
}

/** The calls that started although another one, asked for more than `tolerance` milliseconds earlier, still waited. */
export function overtakers(calls: readonly Call[], tolerance: number): readonly Call[] {
  return calls.filter(call =>
    calls.some(other => other.asked < call.asked - tolerance && other.started > call.started),
  )
}
