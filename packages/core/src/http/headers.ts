import type { Decision } from '../check/decision.ts'
import { describe } from '../base/describe.ts'
import { HaltError, messageOf } from '../base/errors.ts'
import { isStrayPromise } from '../base/promises.ts'
import { type Dialect, DIALECTS, type Headers, type PolicyDirectory, type Write } from './dialects.ts'
import { isSilent } from './tightest.ts'

/**
 * The dialect of the headers by which a response reports the limit.
 *
 * `"standard"` sends `RateLimit-Limit`, `-Remaining` and `-Reset` in Unix seconds. The drafts are the numbered drafts of the
 * IETF's ratelimit-headers, which differ in names and units. `false` sends only `Retry-After`.
 */
export type HeaderDialect = Dialect | false | ((decision: Decision) => Headers)

/** Writes a decision's headers; empty for an exempt request. */
export type HeaderWriter = (decision: Decision) => Headers

/**
 * Makes the header writer of a dialect.
 *
 * @throws HaltError `HALT_E_HEADERS` for an unknown dialect
 */
export function headerWriter(dialect: HeaderDialect, limiter: PolicyDirectory): HeaderWriter {
  if (dialect === false) return retryAfter
  const write =
    typeof dialect === 'function'
      ? custom(dialect)
      : Object.hasOwn(DIALECTS, dialect)
        ? DIALECTS[dialect as Dialect]
        : undefined
  if (write === undefined) {
    const names = Object.keys(DIALECTS).join(', ')
    throw new HaltError(
      'HALT_E_HEADERS',
      `headers is ${describe(dialect)}.`,
      `Choose one of ${names}, false, or a function.`,
    )
  }
  return decision => {
    if (isSilent(decision)) return {}
    // A refusal that no counter decided has no limit to report, only the time of the retry.
    const headers = decision.limit > 0 ? writeSafely(write, decision, limiter) : {}
    return decision.allowed ? headers : Object.assign(headers, retryAfter(decision))
  }
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

// A line break in a value would make the framework throw and the request fail.
function custom(dialect: (decision: Decision) => Headers): Write {
  return decision => {
    const given = dialect(decision)
    if (isStrayPromise(given)) throw new TypeError('it returned a promise, and Halt does not wait for it')
    const headers: Headers = {}
    for (const [name, value] of Object.entries(given)) {
      const text = typeof value === 'number' ? String(value) : value
      if (!NAME.test(name) || typeof text !== 'string' || !VALUE.test(text)) {
        throw new TypeError(
          `${describe(name)} is not a header name, or its value ${describe(value)} is not a header value`,
        )
      }
      headers[name] = text
    }
    return headers
  }
}

function writeSafely(write: Write, decision: Decision, limiter: PolicyDirectory): Headers {
  try {
    return write(decision, limiter)
  } catch (error) {
    limiter.warn({
      code: 'HALT_W_HEADERS',
      message: `The headers function failed: ${messageOf(error)}.`,
      fix: 'Return an object of strings for every decision.',
    })
    return {}
  }
}

function retryAfter({ allowed, retryAfter: wait }: Decision): Headers {
  return allowed || wait <= 0 || wait === Number.POSITIVE_INFINITY ? {} : { 'Retry-After': String(wait) }
}
