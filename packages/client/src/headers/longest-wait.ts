import type { Warn } from '@halt/core'

/** The longest wait that a server can impose: 24 hours, in milliseconds. */
const LONGEST_WAIT = 86_400_000

/** Caps a wait that a server told, in milliseconds, and warns where that shortens it. */
export function capWait(ms: number, warn: Warn): number {
  if (!(ms > LONGEST_WAIT)) return ms
  warn({
    code: 'HALT_W_RETRY_AFTER',
    message: `A server told to wait for ${inDays(ms)}. Halt waits for 24 hours, and then lets a call ask again.`,
    fix: 'Ask the operator of the server, or look at the Retry-After and reset headers of its answers.',
  })
  return LONGEST_WAIT
}

function inDays(ms: number): string {
  const days = Math.round(ms / LONGEST_WAIT)
  return days > 36_500 ? 'more than 100 years' : `${days === 1 ? 'more than a day' : `${days} days`}`
}
