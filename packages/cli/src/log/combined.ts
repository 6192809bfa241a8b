import type { HeaderBag } from '@halt/core'
import { clfInstant } from './instant.ts'
import { LoggedRequest } from './logged-request.ts'

/**
 * Reads a line of the common or combined log format, as Apache and nginx write it. A third quoted field at the end is taken for
 * `X-Forwarded-For`. Returns undefined if the line is cut or is not of this format.
 */
export function readCombined(line: string): LoggedRequest | undefined {
  const ipEnd = line.indexOf(' ')
  const close = line.indexOf('] "', ipEnd)
  // The last bracket before, because the name of a user may hold others: a client sends what it likes.
  const open = line.lastIndexOf(' [', close)
  if (ipEnd <= 0 || open < ipEnd || close < 0) return undefined
  const at = clfInstant(line.slice(open + 2, close))
  const requestEnd = endOfQuoted(line, close + 3)
  // A line without a status was cut.
  if (Number.isNaN(at) || requestEnd < 0 || !isStatus(line, requestEnd + 2)) return undefined
  const [method, url] = methodAndUrl(line.slice(close + 3, requestEnd))
  const user = userIn(line, ipEnd, open)
  const headers = headersIn(line, requestEnd + 5)
  return (
    headers &&
    new LoggedRequest({ at, ip: line.slice(0, ipEnd), method, url, user, headers, json: undefined })
  )
}

/** Splits `GET /path HTTP/1.1`. Both parts are undefined if the client sent something else. */
export function methodAndUrl(request: string): [method: string | undefined, url: string | undefined] {
  const first = request.indexOf(' ')
  if (first <= 0) return [undefined, undefined]
  const second = request.indexOf(' ', first + 1)
  return [request.slice(0, first), request.slice(first + 1, second < 0 ? undefined : second)]
}

/** The index of the quote that ends a text, or -1. A backslash escapes the character behind it. */
export function endOfQuoted(line: string, from: number): number {
  let end = line.indexOf('"', from)
  while (end > from && isEscaped(line, end, from)) end = line.indexOf('"', end + 1)
  return end
}

function isEscaped(line: string, at: number, from: number): boolean {
  let slashes = 0
  while (at - slashes - 1 >= from && line.charCodeAt(at - slashes - 1) === 92) slashes++
  return slashes % 2 === 1
}

function isStatus(line: string, at: number): boolean {
  for (let i = at; i < at + 3; i++) {
    const digit = line.charCodeAt(i)
    if (!(digit >= 48 && digit <= 57)) return false
  }
  return true
}

// Before the time stand the address, the identd name and the user, each `-` if unknown. A user may hold spaces.
function userIn(line: string, ipEnd: number, open: number): string | undefined {
  const start = line.indexOf(' ', ipEnd + 1) + 1
  const user = start > 0 && start < open ? line.slice(start, open) : '-'
  return user === '-' || user === '' ? undefined : user
}

/** The headers in the quoted fields behind the status. Undefined if a quoted field was cut. */
function headersIn(line: string, from: number): HeaderBag | undefined {
  const referer = line.indexOf('"', from)
  if (referer < 0) return NO_HEADERS
  const refererEnd = endOfQuoted(line, referer + 1)
  const agent = refererEnd < 0 ? -1 : line.indexOf('"', refererEnd + 1)
  const agentEnd = agent < 0 ? -1 : endOfQuoted(line, agent + 1)
  if (agentEnd < 0) return undefined
  const forwarded = line.indexOf('"', agentEnd + 1)
  const forwardedEnd = forwarded < 0 ? -1 : endOfQuoted(line, forwarded + 1)
  const headers: Record<string, string> = { 'user-agent': line.slice(agent + 1, agentEnd) }
  if (forwardedEnd > forwarded + 2) headers['x-forwarded-for'] = line.slice(forwarded + 1, forwardedEnd)
  return headers['x-forwarded-for'] === '-' ? { 'user-agent': headers['user-agent'] as string } : headers
}

const NO_HEADERS: HeaderBag = Object.freeze({})
