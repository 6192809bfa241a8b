// A process whose agents stream from a model that is paid per token, until the budget is gone. It may be killed at any moment.
import { openSync, writeSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'

import { RedisStore } from '../../src/index.ts'

const [, , url = '', prefix = '', log = '', settings = '{}'] = process.argv
const { limit, streams, ttl, chunk, anchor } = JSON.parse(settings) as {
  limit: number
  streams: number
  ttl: string | undefined
  chunk: number
  anchor: number
}
const ESTIMATE = 2000
const client = new Redis(url)
// The server may go.
client.on('error', () => {})
const store = new RedisStore({ client, prefix })
const policy = { name: 'day', limit, period: 'monthly', anchor: new Date(anchor) } as const
const limiter = new RateLimiter({
  store,
  policy,
  storeTimeout: '10s',
  onStoreError: 'closed',
  warn: () => {},
})
// A line per part, written before the next, so that a kill loses nothing.
const made = openSync(log, 'a')

async function agent(): Promise<void> {
  for (;;) {
    const call = await limiter.reserve({ user: 'team' }, { cost: ESTIMATE, least: 1, ttl, chunk })
    if (!call.decision.allowed) {
      await setTimeout(100)
      continue
    }
    const length = 200 + Math.floor(Math.random() * 1900)
    let used = 0
    while (used < length && !call.signal.aborted) {
      const part = Math.min(10 + Math.floor(Math.random() * 30), length - used)
      if (!(await call.charge(part))) break
      writeSync(made, `${part}\n`)
      used += part
      await setTimeout(1)
    }
    await call.settle(used)
  }
}

await Promise.all(Array.from({ length: streams }, agent))
