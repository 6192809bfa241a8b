import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import { networks, put } from './entries.ts'

const CHECKS = 2_000

/** How many commands Redis runs for a check, besides the one reading of the document per second. */
export async function commandsPerCheck(url: string, isControlled: boolean): Promise<number> {
  const client = new Redis(url)
  const store = new RedisStore({ client, prefix: `commands-${isControlled}:` })
  await put(store.document('control'), networks())
  const control = isControlled ? new Control({ store }) : undefined
  await control?.refresh()
  const policy = { name: 'api', limit: 1_000_000, window: 3600 }
  const limiter = new RateLimiter({ store, policy, control, instances: 1 })
  await limiter.consume({ ip: '203.0.113.7' })
  // From here on the document is not read any more, and what it says holds on.
  control?.close()
  await client.config('RESETSTAT')
  const request = { method: 'GET', url: '/', headers: {}, socket: { remoteAddress: '203.0.113.7' } }
  for (let i = 0; i < CHECKS; i++) await limiter.check(request)
  const stats = await client.info('commandstats')
  const calls = [...stats.matchAll(/cmdstat_(?:evalsha|fcall|eval)\w*:calls=(\d+)/g)]
  await limiter.close()
  client.disconnect()
  // Only the calls of the script: its own commands are the same with and without control.
  return calls.reduce((sum, [, count]) => sum + Number(count), 0) / CHECKS
}
