import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { type HaltWarning, RateLimiter } from '../../src/index.ts'
import type { Evaluation, Group, Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const policy = { name: 'p', limit: 1000, window: 60 } as const

/** A cluster of which one part can be away: calls for its key fail. Its limiters share one receiver of warnings. */
function cluster() {
  const inner = new ReferenceStore(() => Date.now())
  const errors = new Map<string, unknown>()
  const store: Store = {
    async evaluate(group: Group): Promise<Evaluation> {
      const error = errors.get(group.demands[0]?.subject ?? '')
      if (error !== undefined) throw error
      return inner.evaluate(group)
    },
    forget: counters => inner.forget(counters),
  }
  const told: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void told.push(warning)
  const limiters = [1, 2].map(() => new RateLimiter({ store, policy, warn }))
  return {
    told,
    codes: () => told.map(({ code }) => code),
    fail: (error: unknown = new Error('gone')) => void errors.set('custom:away', error),
    back: () => errors.clear(),
    /** Sends a request for each part through each limiter, every 100 ms. */
    serve: async (ms: number): Promise<void> => {
      for (let at = 0; at < ms; at += 100) {
        for (const limiter of limiters) for (const key of ['here', 'away']) await limiter.consume(key)
        await vi.advanceTimersByTimeAsync(100)
      }
    },
  }
}

it('an outage of a part of a store is warned of once, and its end is told once with its length', async () => {
  const { told, codes, fail, back, serve } = cluster()
  await serve(1_000)
  fail()
  await serve(12_000)
  expect(codes()).toEqual(['HALT_W_STORE_UNAVAILABLE'])
  back()
  await serve(9_000)
  expect(codes()).toEqual(['HALT_W_STORE_UNAVAILABLE'])
  await serve(2_000)
  expect(codes()).toEqual(['HALT_W_STORE_UNAVAILABLE', 'HALT_W_STORE_RECOVERED'])
  const [, lasted = ''] = /after an outage of ([\d.]+) s\.$/.exec(told[1]?.message ?? '') ?? []
  expect(Number(lasted)).toBeGreaterThan(11)
  expect(Number(lasted)).toBeLessThan(13)
})

it('an outage whose calls first hang and then fail is warned of once', async () => {
  const { codes, fail, serve } = cluster()
  fail(Object.assign(new Error('no answer'), { failure: 'timeout' }))
  await serve(1_000)
  fail(new Error('gone'))
  await serve(1_000)
  expect(codes()).toEqual(['HALT_W_STORE_TIMEOUT'])
})

it('a store that fails again within ten seconds is still away, and nobody is told that it is back', async () => {
  const { codes, fail, back, serve } = cluster()
  for (let time = 0; time < 5; time++) {
    fail()
    await serve(1_000)
    back()
    await serve(8_000)
  }
  expect(codes()).toEqual(['HALT_W_STORE_UNAVAILABLE'])
  await serve(11_000)
  expect(codes()).toEqual(['HALT_W_STORE_UNAVAILABLE', 'HALT_W_STORE_RECOVERED'])
})

it('the next outage is warned of again', async () => {
  const { codes, fail, back, serve } = cluster()
  for (let time = 0; time < 2; time++) {
    fail()
    await serve(1_000)
    back()
    await serve(11_000)
  }
  const once = ['HALT_W_STORE_UNAVAILABLE', 'HALT_W_STORE_RECOVERED']
  expect(codes()).toEqual([...once, ...once])
})
