import type { DecisionFields } from '../check/decision.ts'
import { describe } from '../base/describe.ts'
import type { OnStoreError } from '../policy/policy.ts'
import { type Answered, readAnswer } from './answered.ts'

/** What `toBeLimited` may compare. A response tells only `status` and `retryAfter`, a decision all but `status`. */
export interface LimitedFields extends Partial<
  Pick<DecisionFields, 'reason' | 'policy' | 'key' | 'retryAfter'>
> {
  /** The status of a response that was refused. Default 429. */
  readonly status?: number
}

/** The matchers of {@link matchers}, as `expect(value)` has them; `R` is what they return. */
export interface HaltMatchers<R = unknown> {
  /**
   * Passes for a decision that refuses a request, and for a response with the status 429. With `fields` these must be equal, too.
   *
   * @example
   * expect(await limiter.check(request)).toBeLimited({ policy: 'login', retryAfter: 30 })
   * expect(await fetch(url)).toBeLimited({ retryAfter: 30 })
   */
  toBeLimited(fields?: LimitedFields): R
  /** Passes for a decision that lets a request in, and for a response with any status but 429 and 503. */
  toBeAllowed(): R
  /** Passes if so many units are left after the request, by the decision or by a `RateLimit-Remaining` header. */
  toHaveRemaining(units: number): R
  /** Passes for a decision that was made while the store could not answer: by whatever was in its place, or by `how`. */
  toBeDegraded(how?: OnStoreError): R
}

/** What a matcher reports to Vitest or Jest. */
export interface MatcherResult {
  readonly pass: boolean
  readonly message: () => string
}

type Matcher<K extends keyof HaltMatchers> = (
  received: unknown,
  ...expected: Parameters<HaltMatchers[K]>
) => MatcherResult

/**
 * Matchers for `expect.extend` of Vitest and of Jest. They take a decision, or a response of `fetch`, Supertest, Fastify's
 * `inject` or the like.
 *
 * @example
 * expect.extend(matchers)
 * declare module 'vitest' {
 *   interface Matchers<T> extends HaltMatchers<T> {}
 * }
 */
export const matchers: { readonly [K in keyof HaltMatchers]: Matcher<K> } = {
  toBeLimited(received, fields = {}) {
    const { status = 429, ...rest } = fields
    const answer = readAnswer('toBeLimited', received)
    const isLimited = answer.isRefused(status)
    const wrong = isLimited ? differences(answer, rest) : []
    const wanted = wrong.length > 0 ? `with ${wrong.join(' and ')}` : ''
    return result(isLimited && wrong.length === 0, answer, `limited ${wanted}`)
  },

  toBeAllowed(received) {
    const answer = readAnswer('toBeAllowed', received)
    return result(!answer.isRefused(429, 503), answer, 'allowed')
  },

  toHaveRemaining(received, units) {
    const answer = readAnswer('toHaveRemaining', received)
    return result(answer.field('remaining') === units, answer, `answered with ${units} remaining`)
  },

  toBeDegraded(received, how) {
    const answer = readAnswer('toBeDegraded', received)
    const found = answer.field('degraded')
    const pass = how === undefined ? found !== false : found === how
    return result(pass, answer, `degraded${how === undefined ? '' : ` to ${describe(how)}`}`)
  },
}

function differences(answer: Answered, fields: Omit<LimitedFields, 'status'>): string[] {
  return Object.entries(fields)
    .filter(([name, value]) => value !== undefined && answer.field(name) !== value)
    .map(([name, value]) => `${name} ${describe(value)}`)
}

function result(pass: boolean, answer: Answered, wanted: string): MatcherResult {
  const message = (): string =>
    `expected the request ${pass ? 'not ' : ''}to be ${wanted.trim()}, but ${answer.told}`
  return { pass, message }
}
