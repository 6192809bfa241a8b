import type { HeaderList } from './header-list.ts'
import { readGoDuration, readHttpDate, readSeconds } from './instants.ts'

/**
 * Reads how long an answer tells to wait, in milliseconds: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date.
 * `undefined` if it tells nothing. A date is compared with the server's own `Date`, because clocks differ.
 */
export function readRetryAfter(headers: HeaderList, now: number): number | undefined {
  const exact = headers.get('retry-after-ms')?.trim() ?? ''
  const ms = readSeconds(exact)
  if (ms !== undefined) return ms / 1000
  const text = headers.get('retry-after')?.trim() ?? ''
  const wait = readSeconds(text) ?? readGoDuration(text)
  if (wait !== undefined) return wait
  const at = readHttpDate(text)
  return at === undefined ? undefined : Math.max(0, at - (serverTime(headers) ?? now))
}

/** The server's clock in the `Date` header, in Unix milliseconds. */
export function serverTime(headers: HeaderList): number | undefined {
  return readHttpDate(headers.get('date')?.trim() ?? '')
}
