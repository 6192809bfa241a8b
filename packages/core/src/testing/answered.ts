import { describe } from '../base/describe.ts'
import { fail } from '../base/options-check.ts'
import { isPromise } from '../base/promises.ts'
import type { DecisionFields } from '../check/decision.ts'

/** What a matcher reads: a decision, or a response that an adapter wrote. */
export interface Answered {
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
export function readAnswer(matcher: string, received: unknown): Answered {
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
