// Thousands of callers that leave at once, by the machine's clock: what it costs the event loop, beside what the signals alone cost.
import { beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { RateLimiter } from '../../src/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { START } from '../world.ts'

const [COUNT, SAID] = isFull ? [30_000, '30 000'] : [10_000, '10 000']
/** Milliseconds in which the whole may take as long as it likes: a slow machine, a collection of garbage. */
const MARGIN = 600

// One error for all: to make one with its stack costs more than to leave.
const GONE = new Error('gone')

/** Processor time of this process, in milliseconds. */
async function costOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Callers that wait, of which one in the middle costs more than the others. */
async function crowd(isOdd: boolean) {
  const store = new ReferenceStore(() => START)
  const policy = { name: 'api', limit: 1, window: 1, burst: 10 }
  const limiter = new RateLimiter({ store, policy, mostWaiting: COUNT, warn: () => {} })
  const leaving = Array.from({ length: COUNT }, () => new AbortController())
  await limiter.consume('s', { cost: 10 })
  const turns = leaving.map(({ signal }, i) => {
    const cost = isOdd && i === COUNT / 2 ? 7 : 1
    return limiter.acquire('s', { cost, maxWait: '24h', signal }).catch(() => {})
  })
  await new Promise(resolve => void setImmediate(resolve))
  return { limiter, leaving, turns }
}

/** Promises that a signal ends, and nothing more. */
async function bare(): Promise<number> {
  const leaving = Array.from({ length: COUNT }, () => new AbortController())
  const turns = leaving.map(({ signal }) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => reject(GONE))
    }).catch(() => {}),
  )
  return costOf(() => {
    for (const controller of leaving) controller.abort(GONE)
    return Promise.all(turns)
  })
}

let control = 0
beforeAll(async () => {
  const warm = await bare()
  control = Math.max(warm, await bare())
})

// The harder one in the short form.
for (const isOdd of isFull ? [false, true] : [true])
  it(`${SAID} callers leave at once in little more than their signals cost, ${isOdd ? 'one of them of another cost' : 'all of one cost'}`, async () => {
    const { limiter, leaving, turns } = await crowd(isOdd)
    expect(limiter.waiting).toBe(COUNT)
    const cost = await costOf(async () => {
      for (const controller of leaving) controller.abort(GONE)
      await Promise.all(turns)
    })
    expect(limiter.waiting).toBe(0)
    expect((await limiter.explain('s')).policies[0]?.line).toBeUndefined()
    await limiter.close()
    expect(cost).toBeLessThan(4 * control + MARGIN)
  })
