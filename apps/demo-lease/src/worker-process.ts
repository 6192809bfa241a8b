// One process that asks for units, with the counters in Redis. It begins, and is killed, when its parent says so.
import { RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'

import { serviceLimit } from './limit.ts'
import { type Job, load } from './load.ts'

const [, , url, prefix, text = ''] = process.argv
const job = JSON.parse(text) as Job
const { store, close } = openStore({ url, prefix })
await opened(store)
// A busy machine is not a failure of Redis.
const limiter = new RateLimiter({
  store,
  policy: serviceLimit(job),
  onStoreError: 'closed',
  storeTimeout: '10s',
})
// Loads the script of the store, so that the first ask does not wait for that.
await limiter.peek('the service')

const stopping = new AbortController()
process.on('message', message => {
  if (message === 'begin') void begin()
  else stopping.abort()
})
process.send?.('ready')

async function begin(): Promise<void> {
  const count = await load(limiter, job, stopping.signal)
  // A process that is killed gives nothing back. It tells first what it was given, so that the sum can be checked.
  process.send?.(count, () => {
    if (stopping.signal.aborted) process.kill(process.pid, 'SIGKILL')
  })
  if (stopping.signal.aborted) return
  await limiter.close()
  await close()
  process.disconnect()
}
