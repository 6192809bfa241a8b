// One worker in a process of its own, with the counters in Redis.
import { Control, RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'

import { CALLS, STORE_TIMEOUT } from './calls.ts'
import { type Job, work } from './worker.ts'

const [, , url, prefix, job = ''] = process.argv
const { store, close } = openStore({ url, prefix })
await opened(store)
const control = new Control({ store })
const limiter = new RateLimiter({ store, policy: CALLS, control, storeTimeout: STORE_TIMEOUT })
// Loads the script of the store, so that the first call does not wait for that.
await limiter.peek('the service')

process.once('message', () => void begin())
process.send?.('ready')

async function begin(): Promise<void> {
  try {
    await work(limiter, JSON.parse(job) as Job, call => process.send?.(call))
  } finally {
    control.close()
    await limiter.close()
    await close()
    process.disconnect()
  }
}
