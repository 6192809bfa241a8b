// One process that asks for tenants, with the counters in Redis.
import { RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'

import { type Asker, startAsking, type Who } from './asking.ts'
import { type Ask, BACKEND, STORE_TIMEOUT } from './tenants.ts'

const [, , url, prefix, processes] = process.argv
const { store, close } = openStore({ url, prefix })
await opened(store)
// The picture shows what happens, so nothing is printed between.
const limiter = new RateLimiter<Ask>({ store, policy: BACKEND, storeTimeout: STORE_TIMEOUT, warn: () => {} })
// Loads the script of the store, so that the first call does not wait for that.
await limiter.peek('nobody')

let asker: Asker | undefined
process.on('message', (said: Who | 'stop') => void hear(said))
process.send?.('ready')

async function hear(said: Who | 'stop'): Promise<void> {
  asker ??= startAsking(limiter, Number(processes), told => void process.send?.(told))
  if (said !== 'stop') return asker.let(said)
  await asker.stop()
  await limiter.close()
  await close()
  process.disconnect()
}
