import { createRequire } from 'node:module'

import type { MemoryContestant, Task } from './contestant.ts'

/** Its answer: the hits in the window, and the milliseconds to the window's end. */
export interface Hit {
  readonly current: number
  readonly ttl: number
}

/** The store contract of @fastify/rate-limit. */
export interface FastifyStore {
  incr(key: string, callback: (error: Error | null, hit: Hit) => void, windowMs: number, max: number): void
}

const load = createRequire(import.meta.url)

/** The memory store of @fastify/rate-limit, large enough for every key: by default it keeps 5 000 and forgets the rest. */
export const fastifyRateLimit: MemoryContestant<Hit> = {
  name: '@fastify/rate-limit',
  answer: 'fixed window',
  isAsync: false,
  open({ limit, windowMs }: Task) {
    const LocalStore = load('@fastify/rate-limit/store/LocalStore.js') as new (
      continueExceeding: boolean,
      exponentialBackoff: boolean,
      cache: number,
    ) => FastifyStore
    const store = new LocalStore(false, false, 2_000_000)
    let last: Hit = { current: 0, ttl: 0 }
    const keep = (_error: Error | null, hit: Hit): void => void (last = hit)
    return {
      ask(key) {
        store.incr(key, keep, windowMs, limit)
        return last
      },
      admits: hit => hit.current <= limit,
    }
  },
}
