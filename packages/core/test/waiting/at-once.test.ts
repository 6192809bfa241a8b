// Thirty callers that come at once, by several kinds of policies together: they start in the order in which they came, nearly as
// fast as the limits allow, and with few calls of the store.
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Policy } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { endTime, loadCore, newTime, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import { answering } from './answering.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

const CALLERS = 30
const window: Policy = { name: 'window', limit: 5, window: 1, algorithm: 'fixed-window' }
const bucket: Policy = { name: 'bucket', limit: 10, window: 1, burst: 2 }
const permits: Policy = { name: 'permits', limit: 2, algorithm: 'concurrency', ttl: '10s' }
/** How long a caller has its permit, in milliseconds. */
const HELD = 100

/** The policies, and when the last caller can start at the earliest, in milliseconds. */
const CASES: Record<string, readonly [Policy[], number]> = {
  'a fixed window': [[window], 5000],
  'a sliding window': [[{ ...window, algorithm: 'sliding-window' }], 5500],
  'a window and a bucket that is faster': [[bucket, window], 5000],
  'a bucket and a window that is wider': [
    [
      { ...bucket, limit: 5, burst: 5 },
      { ...window, limit: 500 },
    ],
    5000,
  ],
  'a bucket and a window of one rate': [[{ ...bucket, limit: 5, burst: 1 }, window], 5800],
  permits: [[permits], 1400],
  'a bucket and permits': [[{ ...bucket, limit: 20, burst: 5 }, permits], 1400],
}

for (const [name, [policy, earliest]] of Object.entries(CASES))
  for (const latency of [undefined, 0, 5, 20, 50])
    it(`callers that come at once start in order by ${name}, over a store that answers ${latency === undefined ? 'at once' : `after ${latency} ms`}`, async () => {
      const time = newTime()
      try {
        const inner = new core.ReferenceStore(() => time.unixMs())
        let asked = 0
        const counted: Store = {
          clock: () => inner.clock(),
          forget: counters => inner.forget(counters),
          evaluate(group) {
            asked++
            return inner.evaluate(group)
          },
        }
        const store = latency === undefined ? counted : answering(counted, latency)
        const limiter = new core.RateLimiter({ store, policy, warn: () => {}, storeTimeout: '1s' })
        const starts: number[] = []
        let last = 0
        for (let i = 0; i < CALLERS; i++)
          void limiter.acquire('x', { maxWait: '10m' }).then(decision => {
            starts.push(i)
            last = time.now / 1000
            void time.sleep(HELD * 1000).then(() => limiter.release(decision))
          })
        await time.run(time.now + 60e6)
        expect(starts).toEqual([...starts.keys()])
        expect(starts).toHaveLength(CALLERS)
        // Callers of what has no line ask one after another.
        expect(last).toBeLessThan(earliest + CALLERS * (latency ?? 0) + 500)
        expect(asked).toBeLessThan(10 * CALLERS)
      } finally {
        endTime()
      }
    })
