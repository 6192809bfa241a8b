import type { StoreUnderTest } from '@halt/conformance'
import { Redis } from 'ioredis'
import { inject } from 'vitest'

import { unique } from '../../../tools/unique.ts'
import { RedisStore } from '../src/index.ts'

let client: Redis | undefined

/** A real Redis for the adapter suite, on the test's clock. Each store has its own prefix. */
export const redis: StoreUnderTest = {
  name: 'Redis',
  make: async ({ now }) => {
    client ??= new Redis(inject('redisUrl'))
    await client.ping()
    return new RedisStore({ client, clock: now, connection: 'shared', prefix: `${unique()}:` })
  },
}
