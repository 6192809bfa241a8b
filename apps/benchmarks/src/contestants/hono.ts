import { type HonoConfigType, MemoryStore } from 'hono-rate-limiter'

import type { MemoryContestant } from './contestant.ts'

type Info = ReturnType<MemoryStore['increment']>

/** The memory store of hono-rate-limiter. */
export const honoRateLimiter: MemoryContestant<Info> = {
  name: 'hono-rate-limiter',
  answer: 'fixed window',
  isAsync: false,
  open({ limit, windowMs }) {
    const store = new MemoryStore()
    store.init({ windowMs } as HonoConfigType)
    return {
      ask: key => store.increment(key),
      admits: info => info.totalHits <= limit,
      close: () => store.shutdown(),
    }
  },
}
