// A process that calls a limiter of each policy, one after the other, and prints how many requests each admitted:
// node dist/counter.js <client> <server> <port> <skew ms> <asks> <storeTimeout> <work ms> <policies>
import { type Policy, RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'

import { openApplication } from './application.ts'
import type { RedisClient, RedisName } from './place.ts'

const [library, server, port, skew, asks, storeTimeout, work, policies] = process.argv.slice(2) as [
  RedisClient,
  RedisName,
  ...string[],
]
const TOGETHER = 64

// Sets this process's clock wrong, before anything reads it.
const real = Date.now
Date.now = () => real() + Number(skew)

const application = openApplication(library, server, Number(port))
const { client } = application
const admitted: number[] = []
for (const policy of JSON.parse(policies as string) as Policy[]) admitted.push(await count(policy))
console.log(JSON.stringify(admitted))
application.kill()
process.exit(0)

/** The requests that a limiter admits. */
async function count(policy: Policy): Promise<number> {
  const limiter = new RateLimiter({ store: new RedisStore({ client }), policy, storeTimeout })
  let wrong = await limiter.ready()
  // ioredis gives a cluster a second to tell its slots, which is too short where many processes begin on few processors.
  for (let tries = 1; tries < 20 && wrong.some(({ code }) => code === 'HALT_W_STORE_UNAVAILABLE'); tries++) {
    await new Promise(resolve => setTimeout(resolve, 1000))
    wrong = await limiter.ready()
  }
  if (wrong.some(({ code }) => code !== 'HALT_W_STORE_SLOW')) throw new Error(JSON.stringify(wrong))

  let passed = 0
  for (let i = 0; i < Number(asks); i += TOGETHER) {
    const together = Math.min(TOGETHER, Number(asks) - i)
    const calls = Array.from({ length: together }, () => limiter.consume({ user: '42' }))
    // By then the clients have sent their requests.
    await new Promise(resolve => setTimeout(resolve, 1))
    compute(Number(work))
    for (const { allowed, degraded } of await Promise.all(calls)) {
      if (degraded !== false) throw new Error(`degraded: ${degraded}`)
      if (allowed) passed++
    }
  }
  await limiter.close()
  return passed
}

/** Computes without a pause, as a busy application does, and so blocks the event loop. */
function compute(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
