// One process of the application of the runbook: companies with plans, whose users share the month of their company.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Control, UsageByUser } from '@halt/control'
import { type Policy, RateLimiter } from '@halt/core'
import { refusalBody } from '@halt/core/http'
import { operator } from '@halt/operator'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

interface Asked extends IncomingMessage {
  user?: { readonly id: string }
  company?: string
}

const [, , url = '', file = ''] = process.argv
const { plans, settings } = (await import(file)) as {
  readonly plans: Readonly<Record<'free' | 'pro', readonly Policy<Asked>[]>>
  readonly settings: { readonly prefix: string }
}
const store = new RedisStore({ client: new Redis(url), prefix: settings.prefix })
const control = new Control({ store })
// The test waits for what is counted.
const telemetry = new UsageByUser({ store, policies: ['pro_month'], every: '100ms' })
const limiter = new RateLimiter<Asked>({
  store,
  control,
  telemetry,
  policy: () => [...plans.pro],
  exemptPrivateIps: false,
  // A busy machine is not a failure of Redis.
  storeTimeout: '30s',
})
operator({ limiters: [limiter], control, plans, authorize: () => 'ann' })

const server = createServer((request: Asked, response) => {
  request.user = { id: String(request.headers['x-user']) }
  request.company = 'acme'
  void limiter.check(request).then(decision => {
    response.statusCode = decision.allowed ? 200 : 429
    response.end(decision.allowed ? '{}' : refusalBody(decision, 'detailed', 429).text)
  })
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
