import { callAtOnce } from '@halt/core/http'
import type { Warn } from '@halt/core'

import { isShedderNumbers } from './report-check.ts'

/** The facts of a load shedder that the page shows. Times are milliseconds. */
interface ShedderFacts {
  readonly mode: 'enforce' | 'shadow' | 'off'
  /** How many requests may be in flight, and how many are. */
  readonly limit: number
  readonly inFlight: number
  /** How long requests wait for the event loop before their handlers run, how long they take inside, and inside when nothing queues. */
  readonly ageMs: number
  readonly insideMs: number
  readonly calmMs: number
  /** The tiers of which requests are refused; empty if none is. */
  readonly sheds: readonly string[]
  /** Why: the event loop is full, or requests take longer inside their handlers. */
  readonly cause: 'loop' | 'inside' | undefined
  /** For how long. */
  readonly sheddingMs: number
}

/** A load shedder, as `loadShedder()` of `@halt/overload` makes one. */
export interface WatchedShedder {
  /** What it does now. It is read every two seconds while somebody watches. */
  readonly state: ShedderFacts & {
    readonly limits: readonly { readonly route: string | undefined; readonly sheddingMs: number }[]
  }
}

/** The numbers of one load shedder of a process. */
export interface ShedderNumbers extends ShedderFacts {
  readonly name: string
  /** The route that has been shedding longest; undefined if the limit holds for the process, or nothing is shed. */
  readonly route: string | undefined
}

/** Reads the load shedders of this process. */
export type ReadShedders = () => readonly ShedderNumbers[]

/** The most load shedders of a process that are shown. */
const MOST = 16
/** The longest name of a shedder or a route, in characters. */
const LONGEST = 100

/** Makes a reader of load shedders. One whose state cannot be read is left out. */
export function readerOf(shedders: Readonly<Record<string, WatchedShedder>>, warn: Warn): ReadShedders {
  const all = Object.entries(shedders).slice(0, MOST)
  return () =>
    all.flatMap(
      ([name, shedder]) =>
        (callAtOnce(warn, `shedders.${name}`, () => numbersOf(name, shedder)) as
          | ShedderNumbers
          | undefined) ?? [],
    )
}

/** The numbers of a load shedder; undefined if its state has another form. */
export function numbersOf(name: string, { state }: WatchedShedder): ShedderNumbers | undefined {
  // The application may have given anything.
  if (typeof state !== 'object' || (state as unknown) === null) return undefined
  const { mode, limit, inFlight, ageMs, insideMs, calmMs, sheds, cause, sheddingMs, limits } = state
  const facts = { mode, limit, inFlight, ageMs, insideMs, calmMs, sheds, cause, sheddingMs }
  const worst = sheddingMs > 0 ? limits.find(each => each.sheddingMs === sheddingMs) : undefined
  const numbers = { name: name.slice(0, LONGEST), route: worst?.route?.slice(0, LONGEST), ...facts }
  return isShedderNumbers(numbers) ? numbers : undefined
}
