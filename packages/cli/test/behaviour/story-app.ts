// One process of the application of the nine-in-the-evening story: it answers each request with its decision.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import { monthly, perUser } from './story-limits.ts'

const [, , url = '', prefix = ''] = process.argv
const store = new RedisStore({ client: new Redis(url), prefix })
const control = new Control({ store })
// A busy machine is not a failure of Redis.
const limiter = new RateLimiter({
  store,
  control,
  policy: [perUser, monthly],
  exemptPrivateIps: false,
  storeTimeout: '30s',
})

const server = createServer((request, response) => {
  const user = { id: request.headers['x-user'] }
  void limiter
    .check(Object.assign(request, { user }))
    .then(({ allowed, reason, policy, limit }) =>
      response.end(JSON.stringify({ allowed, reason, policy, limit })),
    )
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
