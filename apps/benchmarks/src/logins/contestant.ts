import type { RequestHandler } from 'express'

/** The limit of all contestants: so many wrong passwords in a quarter of an hour. */
export const LIMIT = 3
export const WINDOW_MS = 15 * 60_000

/** Where the counters are: a Redis, or undefined for this process's memory. */
export type Place = string | undefined

/** A way to count only failed logins. */
export interface LoginContestant {
  readonly name: string
  /** What it does, in a few words. */
  readonly way: string
  /** Puts the limit around the checking of a password, which answers 200 or 401. */
  guard(place: Place, login: RequestHandler): Guarded
}

/** A login with its limit. */
export interface Guarded {
  readonly handlers: readonly RequestHandler[]
  /** Resolves when it can be asked: its connections are open. */
  ready(): Promise<unknown>
  close(): unknown
}
