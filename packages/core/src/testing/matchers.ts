import { describe } from '../base/errors.ts'
import { fail } from '../base/options-check.ts'
import { isPromise } from '../base/promises.ts'
import type { DecisionFields } from '../check/decision.ts'
import type { OnStoreError } from '../policy/policy.ts'

/** What a matcher reads: a decision, or a response that an adapter wrote. */
interface Answered {
  /** What was answered, for a failed assertion: the end of a sentence that begins with "but". */
  readonly told: string
  /** @param statuses of refusals, where this is a response */
  isRefused(...statuses: readonly number[]): boolean
  /** @throws HaltError `HALT_E_OPTION` for a field that cannot be read */
  field(name: string): unknown
}

type ReadableHeaders = { readonly get?: unknown } & Readonly<Record<string, unknown>>

/**
 * Reads what a test hands to a matcher.
 *
 * @throws HaltError `HALT_E_OPTION` for anything else, which would pass `expect(…).not` by mistake
 */
function readAnswer(matcher: string, received: unknown): Answered {
  if (typeof received === 'object' && received !== null) {
    if (isPromise(received)) return failed(matcher, 'a promise', 'Await it, or write expect(…).resolves.')
    // Not instanceof: an ESM and a CommonJS copy may coexist.
    if ('allowed' in received && 'retryAfter' in received) return ofDecision(received as DecisionFields)
    const { status, statusCode, headers } = received as Record<string, unknown>
    const code = status ?? statusCode
    if (typeof code === 'number' && typeof headers === 'object' && headers !== null)
      return ofResponse(code, headers as ReadableHeaders)
  }
  return failed(matcher, describe(received), 'Give a decision of a limiter, or a response.')
}

function failed(matcher: string, shown: string, fix: string): never {
  return fail('HALT_E_OPTION', `${matcher} got ${shown}, which is neither a decision nor a response.`, fix)
}

function ofDecision(decision: DecisionFields): Answered {
  const { allowed, reason, policy, key, limit, remaining, retryAfter, degraded } = decision
  const rest = allowed ? `${remaining} of ${limit} remaining` : `retryAfter ${retryAfter}`
  const by = degraded === false ? '' : `, degraded to "${degraded}"`
  return {
    told: `policy "${policy}" ${allowed ? 'let it in' : 'refused it'} (reason "${reason}", key "${key}", ${rest}${by})`,
    isRefused: () => !allowed,
    field: name => decision[name as keyof DecisionFields],
  }
}

function ofResponse(status: number, headers: ReadableHeaders): Answered {
  const header = (name: string): string | undefined => {
    const found: unknown = typeof headers.get === 'function' ? headers.get(name) : headers[name.toLowerCase()]
    return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined
  }
  const numbers: Readonly<Record<string, () => string | undefined>> = {
    retryAfter: () => header('Retry-After'),
    remaining: () => header('RateLimit-Remaining') ?? header('X-RateLimit-Remaining'),
  }
  const shown = Object.entries(numbers).flatMap(([name, read]) => {
    const value = read()
    return value === undefined ? [] : `, ${name} ${value}`
  })
  return {
    told: `the response has status ${status}${shown.join('')}`,
    isRefused: (...statuses) => statuses.includes(status),
    field(name) {
      const read = numbers[name]
      const fix = `Compare ${Object.keys(numbers).join(' or ')}, or look at the decision.`
      if (read === undefined) return fail('HALT_E_OPTION', `A response does not tell ${name}.`, fix)
      const value = read()
      return value === undefined ? undefined : Number(value)
    },
  }
}

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
