// Callers that come one after another start when their bucket has their units, whatever other policy is decided with it, and however
// long the store's answers take.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Policy } from '../../src/index.ts'
import { endTime, loadCore, newTime, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { answering } from './answering.ts'

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

/** One unit takes 100 ms. */
const UNIT = 100
const BURST = 3
const bucket: Policy = { name: 'bucket', limit: 10, window: 1, burst: BURST }
// Each of them has room for all.
const room: Policy = { name: 'room', limit: 1000, window: 1, keyStrategy: 'shared' }
const OTHERS: Record<string, Policy[]> = {
  'no other policy': [],
  'a sliding window': [{ ...room, algorithm: 'sliding-window' }],
  'a fixed window': [{ ...room, algorithm: 'fixed-window' }],
  permits: [{ name: 'permits', limit: 1000, algorithm: 'concurrency', ttl: '100s' }],
  'a quota': [{ name: 'quota', limit: 100_000, period: 'monthly' }],
  'a shared bucket': [room],
  'a bucket that leaves units to others': [{ ...room, headroom: 0.5 }],
  'a bucket that tenants share fairly': [{ ...room, fair: { by: 'user' as const } }],
  'a window that holds its cost': [{ ...room, algorithm: 'fixed-window', inFlight: 1000 }],
}

/** A caller: milliseconds after the one before, more than the store takes for two answers, and its cost. */
const caller = fc.record({
  after: fc.integer({ min: 100, max: 150 }),
  cost: fc.integer({ min: 1, max: BURST }),
})

async function play(
  time: VirtualTime,
  policy: Policy[],
  callers: readonly { readonly after: number; readonly cost: number }[],
  latency: number | undefined,
): Promise<void> {
  const inner = new core.ReferenceStore(() => time.unixMs())
  const store = latency === undefined ? inner : answering(inner, latency)
  const limiter = new core.RateLimiter({ store, policy, warn: () => {}, storeTimeout: '1s' })
  const starts: { index: number; late: number }[] = []
  let [debt, then] = [0, 0]
  for (const [index, { after, cost }] of callers.entries()) {
    await time.run(time.now + after * 1000)
    const now = time.now / 1000
    debt = Math.max(0, debt - (now - then) / UNIT) + cost
    then = now
    const due = now + Math.max(0, debt - BURST) * UNIT
    void limiter.acquire({ user: '42' }, { cost, maxWait: '10m' }).then(({ allowed }) => {
      if (allowed) starts.push({ index, late: time.now / 1000 - due })
    })
  }
  await time.run(time.now + 10e6)
  expect(starts.map(({ index }) => index)).toEqual([...callers.keys()])
  const lates = starts.map(({ late }) => late)
  expect(Math.min(...lates)).toBeGreaterThan(-1)
  // It asks, asks for a place, and asks for the other policy at its turn, perhaps while another does.
  expect(Math.max(...lates)).toBeLessThan(5 * (latency ?? 0) + 3)
  const closing = limiter.close()
  await time.run(time.now + 2e6)
  await closing
}

for (const [name, others] of Object.entries(OTHERS))
  it(`callers of a bucket and ${name} start in time`, async () => {
    const latency = fc.constantFrom(undefined, 0, 5, 30)
    const callers = fc.array(caller, { minLength: 2, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(callers, latency, async (given, ms) => {
        try {
          await play(newTime(), [bucket, ...others], given, ms)
        } finally {
          endTime()
        }
      }),
      { numRuns: isFull ? 40 : 20 },
    )
  })
