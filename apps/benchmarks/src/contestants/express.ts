import { MemoryStore, type ClientRateLimitInfo, type Options } from 'express-rate-limit'

import type { MemoryContestant } from './contestant.ts'

/** The memory store of express-rate-limit, called as its middleware calls it. */
export const expressRateLimit: MemoryContestant<ClientRateLimitInfo> = {
  name: 'express-rate-limit',
  answer: 'fixed window',
  isAsync: true,
  open({ limit, windowMs }) {
    const store = new MemoryStore()
    store.init({ windowMs } as Options)
    return {
      ask: key => store.increment(key),
      admits: info => info.totalHits <= limit,
      close: () => store.shutdown(),
    }
  },
}
