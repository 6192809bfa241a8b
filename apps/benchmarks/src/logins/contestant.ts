import type { RequestHandler } from 'express'

/** The limit of all contestants: wrong passwords in a quarter of an hour. */
export const LIMIT = 3
export const WINDOW_MS = 15 * 60_000

/** The Redis of the counters; undefined for the memory of this process. */
export type Place = string | undefined

/** A way to count only failed logins. */
export interface LoginContestant {
  readonly name: string
  /** Its method, in a few words. */
  readonly way: string
  /** Adds the limit to a password check, which answers 200 or 401. */
  guard(place: Place, login: RequestHandler): Guarded
}

/** A login with its limit. */
export interface Guarded {
  readonly handlers: readonly RequestHandler[]
  /** Resolves when its connections are open. */
  ready(): Promise<unknown>
  close(): unknown
}
