import { setTimeout as sleep } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { halt } from '@halt/express'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import type { Request } from 'express'
import { Redis } from 'ioredis'

import { LIMIT, type LoginContestant, WINDOW_MS } from './contestant.ts'

/** @param inFlight the most undecided attempts at once; undefined: each attempt is charged when it comes */
export function haltLogins(inFlight: number | undefined): LoginContestant {
  return {
    name: inFlight === undefined ? 'Halt, chargeWhen alone' : `Halt, inFlight: ${inFlight}`,
    way: inFlight === undefined ? 'charge, give back when good' : 'admit a few, charge when bad',
    guard(place, login) {
      const client = place === undefined ? undefined : new Redis(place)
      const store = client === undefined ? new InMemoryStore() : new RedisStore({ client })
      const limiter = new RateLimiter<Request>({
        store,
        policy: { name: 'login', limit: LIMIT, window: `${WINDOW_MS}ms`, inFlight },
        exemptPrivateIps: false,
        storeTimeout: '5s',
      })
      return {
        handlers: [halt({ limiter, chargeWhen: res => res.statusCode === 401 }), login],
        ready: () => opened(store),
        async close() {
          await limiter.close()
          client?.disconnect()
        },
      }
    },
  }
}

// Until the store's own connection is open, the process would count by itself.
async function opened(store: InMemoryStore | RedisStore): Promise<void> {
  for (let attempt = 0; 'probe' in store; attempt++) {
    try {
      await store.probe()
      return
    } catch (error) {
      if (attempt === 200) throw error
      await sleep(25)
    }
  }
}
