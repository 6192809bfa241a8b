import { RateLimiterMemory, RateLimiterRes, RateLimiterUnion } from 'rate-limiter-flexible'

import type { MemoryContestant, Task } from './contestant.ts'

/** The memory limiter of rate-limiter-flexible. A refusal rejects. */
export const flexible: MemoryContestant<RateLimiterRes> = {
  name: 'rate-limiter-flexible',
  answer: 'fixed window',
  isAsync: true,
  open(task) {
    const limiter = makeLimiter(task)
    return {
      ask: key => limiter.consume(key),
      admits: () => true,
      isRefusal: reason => reason instanceof RateLimiterRes,
    }
  },
}

/** The same limiter, asked about addresses. */
export const flexibleAddress: MemoryContestant<RateLimiterRes> = {
  ...flexible,
  name: 'rate-limiter-flexible, addresses',
  keys: 'addresses',
}

/** Reads a counter that was charged once. */
export const flexibleGet: MemoryContestant<RateLimiterRes | null> = {
  name: 'rate-limiter-flexible, get(key)',
  answer: 'fixed window',
  isAsync: true,
  open(task) {
    const limiter = makeLimiter(task)
    return {
      ask: key => limiter.get(key),
      prepare: key => limiter.consume(key),
      admits: result => result !== null && result.remainingPoints > 0,
    }
  },
}

/** Three limiters that are asked together. A refusal by one of them keeps the charges of the others. */
export const flexibleUnion: MemoryContestant<Record<string, RateLimiterRes>> = {
  name: 'rate-limiter-flexible, RateLimiterUnion of three',
  answer: 'fixed window',
  isAsync: true,
  open(task) {
    const limiters = ['first', 'second', 'third'].map(keyPrefix => makeLimiter(task, keyPrefix))
    const union = new RateLimiterUnion(...limiters)
    return {
      ask: key => union.consume(key),
      admits: () => true,
      // It rejects with the refusals by prefix.
      isRefusal: reason =>
        typeof reason === 'object' &&
        reason !== null &&
        Object.values(reason).every(each => each instanceof RateLimiterRes),
    }
  },
}

function makeLimiter({ limit, windowMs }: Task, keyPrefix?: string): RateLimiterMemory {
  const options = { points: limit, duration: windowMs / 1000 }
  return new RateLimiterMemory(keyPrefix === undefined ? options : { ...options, keyPrefix })
}
