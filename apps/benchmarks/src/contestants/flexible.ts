import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'

import type { MemoryContestant } from './contestant.ts'

/** The memory limiter of rate-limiter-flexible. A refusal rejects, as it does for its users. */
export const flexible: MemoryContestant<RateLimiterRes | undefined> = {
  name: 'rate-limiter-flexible',
  answer: 'fixed window',
  isAsync: true,
  open({ limit, windowMs }) {
    const limiter = new RateLimiterMemory({ points: limit, duration: windowMs / 1000 })
    const refused = (reason: unknown): undefined => {
      if (!(reason instanceof RateLimiterRes)) throw reason
    }
    return {
      ask: key => limiter.consume(key).then(undefined, refused),
      admits: result => result !== undefined,
    }
  },
}
