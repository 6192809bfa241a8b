// One worker in a process of its own, with the counters in Redis.
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'

import { policiesOf, STORE_TIMEOUT } from './calls.ts'
import { type Job, work } from './worker.ts'

const [, , url, prefix, given = ''] = process.argv
const job = JSON.parse(given) as Job
const { store, close } = openStore({ url, prefix })
await opened(store)
// The pictures show what happens, so nothing is printed between them.
const warn = (): void => {}
const control = new Control({ store, warn })
const limiter = new RateLimiter({
  store,
  policy: policiesOf(job),
  control,
  storeTimeout: STORE_TIMEOUT,
  warn,
})
// Loads the script of the store, so that the first call does not wait for that.
await limiter.peek('the service')

const stop = new AbortController()
let left = job.calls
process.once('message', () => void begin())
process.once('SIGTERM', () => void end())
process.send?.('ready')

async function begin(): Promise<void> {
  const listener = { asked: () => void left--, called: (call: object) => process.send?.(call) }
  try {
    await work(limiter, job, listener, { stop: stop.signal })
  } finally {
    control.close()
    await limiter.close()
    await close()
    process.disconnect()
  }
}

/** A deploy: another process makes the calls that are left, and those that wait here have their turns. */
async function end(): Promise<void> {
  stop.abort()
  process.send?.({ left })
  await limiter.close({ finishLine: '30s' })
}
