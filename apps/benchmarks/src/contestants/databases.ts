import type { RateLimiter } from '@halt/core'
import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'

import type { Opened } from './contestant.ts'

const isAdmitted = (answer: unknown): boolean => answer === true

/** A limiter of Halt on a database, which must not decide without it. */
export function openedHalt(limiter: RateLimiter, end: () => unknown): Opened<unknown> {
  return {
    ask: async key => {
      const { allowed, degraded } = await limiter.consume({ ip: key })
      if (degraded !== false) throw new Error('A decision was made without the store')
      return allowed
    },
    admits: isAdmitted,
    close: async () => {
      await limiter.close()
      await end()
    },
  }
}

/** A limiter of rate-limiter-flexible on a database, when its table is there. */
export async function openedFlexible(
  make: (made: (error?: Error) => void) => RateLimiterAbstract,
  end: () => unknown,
): Promise<Opened<unknown>> {
  const limiter = await new Promise<RateLimiterAbstract>((resolve, reject) => {
    const made: RateLimiterAbstract = make(error => (error === undefined ? resolve(made) : reject(error)))
  })
  return {
    ask: key =>
      limiter.consume(key).then(
        () => true,
        (refusal: unknown) => {
          if (refusal instanceof RateLimiterRes) return false
          throw refusal
        },
      ),
    admits: isAdmitted,
    close: end,
  }
}

/** Runs a number of checks, so many in flight at a time. */
export async function runChecks(
  opened: Opened<unknown>,
  keys: readonly string[],
  flight: number,
  count: number,
): Promise<void> {
  let sent = 0
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const key = keys[sent++ % keys.length] as string
      if (!opened.admits(await opened.ask(key))) throw new Error('A check was refused')
    }
  }
  await Promise.all(Array.from({ length: flight }, worker))
}
