// Shared by the tests of the limiter: a store on a manual clock, and requests.
import { expect } from 'vitest'

import {
  type Decision,
  type HaltError,
  type HaltWarning,
  RateLimiter,
  type RateLimiterOptions,
  type RequestView,
} from '../src/index.ts'
import { ManualClock, ReferenceStore } from '../src/testing/index.ts'

/** 2026-11-24T00:00:00Z, in Unix milliseconds: the start of every test's clock. */
export const START: number = Date.UTC(2026, 10, 24)
/** An address that is not exempt by default. */
export const CLIENT = '203.0.113.7'

/** Options of a limiter in a world, which already has a store and collects warnings. */
export type Options = Partial<RateLimiterOptions>

/** One store on one clock, and the limiters that share it. */
export interface World {
  readonly clock: ManualClock
  readonly store: ReferenceStore
  /** The warnings, in order. */
  readonly warnings: HaltWarning[]
  /** The codes of the warnings. */
  readonly codes: () => string[]
  readonly limiter: (policy: RateLimiterOptions['policy'], options?: Options) => RateLimiter
}

/** Makes a new world for a test. */
export function world(start: number = START): World {
  const clock = new ManualClock(start)
  const store = new ReferenceStore(clock.now)
  const warnings: HaltWarning[] = []
  return {
    clock,
    store,
    warnings,
    codes: () => warnings.map(({ code }) => code),
    limiter: (policy, options) =>
      new RateLimiter({ store, policy, warn: warning => void warnings.push(warning), ...options }),
  }
}

/** A request as an adapter sees it: `GET /things` from {@link CLIENT}, unless `changes` says otherwise. */
export function view(changes: Partial<RequestView> = {}): RequestView {
  return { method: 'GET', path: '/things', ip: CLIENT, headers: {}, request: {}, ...changes }
}

/** A request of a user. */
export function by(id: unknown, changes: Partial<RequestView> = {}): RequestView {
  return view({ request: { user: { id } }, ...changes })
}

/** A request with an API key. */
export function keyed(key: string, changes: Partial<RequestView> = {}): RequestView {
  return view({ headers: { 'x-api-key': key }, ...changes })
}

/** Checks a request several times. Returns the decisions in order. */
export async function times(
  count: number,
  limiter: RateLimiter,
  request: RequestView = view(),
): Promise<Decision[]> {
  const decisions: Decision[] = []
  for (let i = 0; i < count; i++) decisions.push(await limiter.check(request))
  return decisions
}

/** A decision's fields as a plain object. The copy is not a decision. */
export function fields(decision: Decision): Record<string, unknown> {
  return { ...decision.toJSON() }
}

/** How many of `count` requests are allowed. */
export async function admitted(
  count: number,
  limiter: RateLimiter,
  request: RequestView = view(),
): Promise<number> {
  return (await times(count, limiter, request)).filter(({ allowed }) => allowed).length
}

/** The error of a call that must fail: a HaltError with a code, a fix and a page. */
export function mistake(call: () => unknown): HaltError {
  try {
    call()
  } catch (error) {
    return ours(error)
  }
  throw new Error('Nothing was thrown.')
}

/** As {@link mistake}, for a promise. */
export async function rejection(promise: Promise<unknown>): Promise<HaltError> {
  const outcome = await promise.then(
    () => ({ error: undefined }),
    (error: unknown) => ({ error }),
  )
  if (outcome.error === undefined) throw new Error('Nothing was rejected.')
  return ours(outcome.error)
}

function ours(thrown: unknown): HaltError {
  const error = thrown as HaltError
  expect(error.name, String(thrown)).toBe('HaltError')
  expect(error.code).toMatch(/^HALT_E_[A-Z_]+$/)
  expect(error.fix.length).toBeGreaterThan(10)
  expect(error.message).toContain(error.code)
  expect(error.message).toContain(error.fix)
  expect(error.message).toContain(`/docs/errors/${error.code}.md`)
  return error
}
