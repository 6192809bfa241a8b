import { describe, HaltError, messageOf } from '../base/errors.ts'
import { atOnce } from '../base/promises.ts'
import { binds } from '../check/decision-reader.ts'
import { Decision } from '../check/decision.ts'
import {
  type Headers,
  type HeaderSink,
  type Dialect,
  DIALECTS,
  type PolicyDirectory,
  type Write,
} from './dialects.ts'
import { isUnpaid } from './refusal.ts'

// perf: bench "fastify: halt"; dialects write the names in lower case, because a name that is put into lower case at run time
// is a slow property key.
const SPELLINGS: ReadonlyMap<string, string> = new Map(
  [
    'RateLimit',
    'RateLimit-Policy',
    'RateLimit-Limit',
    'RateLimit-Remaining',
    'RateLimit-Reset',
    'X-RateLimit-Limit',
    'X-RateLimit-Remaining',
    'X-RateLimit-Used',
    'X-RateLimit-Reset',
    'Retry-After',
    'Cache-Control',
  ].map(name => [name.toLowerCase(), name]),
)

/** Sets headers in a list, by their names as documents spell them. */
export const SPELT: HeaderSink<Headers> = {
  set(headers, name, value) {
    headers[SPELLINGS.get(name) ?? name] = value
  },
}

/**
 * The dialect of the headers by which a response reports the limit.
 *
 * `"standard"` sends `RateLimit-Limit`, `-Remaining` and `-Reset` in Unix seconds. The drafts are the numbered drafts of the
 * IETF's ratelimit-headers, which differ in names and units. `false` sends only `Retry-After`.
 */
export type HeaderDialect = Dialect | false | ((decision: Decision) => Headers)

/** Lists a decision's headers; empty for an exempt request. */
export type HeaderWriter = (decision: Decision) => Headers

/** Writes a decision's headers, one by one; none for an exempt request. */
export type WriteHeaders = <T>(decision: Decision, target: T, sink: HeaderSink<T>) => void

/** Makes the header writer of a dialect. @throws HaltError `HALT_E_HEADERS` for an unknown dialect */
export function headerWriter(dialect: HeaderDialect, limiter: PolicyDirectory): HeaderWriter {
  const write = compileDialect(dialect, limiter)
  return decision => {
    const headers: Headers = {}
    write(decision, headers, SPELT)
    return headers
  }
}

/**
 * Compiles a dialect to the function that writes its headers one by one.
 *
 * @throws HaltError `HALT_E_HEADERS` for an unknown dialect
 */
export function compileDialect(dialect: HeaderDialect, limiter: PolicyDirectory): WriteHeaders {
  if (dialect === false) return writeRetryAfter
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
  return (decision, target, sink) => {
    if (isSilent(decision)) return
    // A refusal that no counter decided has no limit to report, only the time of the retry.
    if (decision.limit > 0) write(decision, target, sink, limiter)
    writeRetryAfter(decision, target, sink)
  }
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

// A line break in a value would make the framework throw and the request fail.
function custom(dialect: (decision: Decision) => Headers): Write {
  return (decision, target, sink, { warn }) => {
    let headers: Headers
    try {
      headers = checked(dialect(Decision.freeze(decision)))
    } catch (error) {
      return warn({
        code: 'HALT_W_HEADERS',
        message: `The headers function failed: ${messageOf(error)}.`,
        fix: 'Return an object of strings for every decision.',
      })
    }
    for (const [name, value] of Object.entries(headers)) sink.set(target, name, value)
  }
}

function checked(given: Headers): Headers {
  const headers: Headers = {}
  for (const [name, value] of Object.entries(atOnce(given))) {
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

function writeRetryAfter<T>(decision: Decision, target: T, sink: HeaderSink<T>): void {
  const { allowed, retryAfter: wait } = decision
  if (allowed || wait === 0 || wait === Number.POSITIVE_INFINITY || isUnpaid(decision)) return
  sink.set(target, 'retry-after', String(wait))
}

/** Whether the client gets no headers for a decision: the request was exempt, or all policies run in shadow mode. */
function isSilent(decision: Decision): boolean {
  if (decision.reason === 'exempt') return true
  if (Decision.isEnforced(decision)) return false
  return decision.verdicts.length > 0 && decision.verdicts.every(({ mode }) => mode !== 'enforce')
}

/** Whether decision `a` binds a client more than `b`. A silent decision never does. */
export function isTighter(a: Decision, b: Decision): boolean {
  if (isSilent(a) || isSilent(b)) return !isSilent(a)
  return binds(a, b)
}
