import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Mode } from '../../src/databases/index.ts'
import { RateLimiter } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { world } from '../world.ts'
import { answering, turns } from './answering.ts'
import { passingWorld } from './passing-world.ts'

describe('a signal that many callers share', () => {
  const policy = { name: 'calls', limit: 1, window: 10 }

  it('a signal that many callers share has one listener for all of them, and none when they have left', async () => {
    const limiter = world().limiter(policy)
    const leaving = new AbortController()
    const turns = Array.from({ length: 30 }, () =>
      limiter.acquire('stripe', { maxWait: '1h', signal: leaving.signal }),
    )
    await turns[0]
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(1)
    leaving.abort(new Error('stopped'))
    const ends = await Promise.allSettled(turns)
    expect(ends.map(end => (end.status === 'rejected' ? String(end.reason) : end.value.allowed))).toEqual([
      true,
      ...Array.from({ length: 29 }, () => 'Error: stopped'),
    ])
    expect(getEventListeners(leaving.signal, 'abort')).toHaveLength(0)
    expect((await limiter.explain('stripe')).policies[0]?.line).toBeUndefined()
  })

  it('2000 callers that share a signal leave 500 in a turn of the event loop', async () => {
    const limiter = world().limiter({ ...policy, limit: 1 })
    const leaving = new AbortController()
    let left = 0
    const turns = Array.from({ length: 2001 }, () =>
      limiter.acquire('stripe', { maxWait: '6h', signal: leaving.signal }).catch(() => void left++),
    )
    await turns[0]
    leaving.abort()
    const seen: number[] = []
    while (left < 2000) {
      await new Promise(resolve => void setImmediate(resolve))
      seen.push(left)
    }
    // The first 500 leave in the turn of the abort itself.
    const each = seen.map((count, i) => count - (seen[i - 1] ?? 501))
    expect(Math.max(...each)).toBeLessThanOrEqual(500)
  })

  it('a shared signal has no listener after the turn of the last caller, and takes new ones', async () => {
    const limiter = world().limiter({ ...policy, limit: 5 })
    const { signal } = new AbortController()
    for (const _ of [1, 2]) {
      await Promise.all([1, 2].map(() => limiter.acquire('stripe', { signal })))
      await Promise.resolve()
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    }
  })
})

/** A store that answers after three turns of the event loop, and what it was asked, and has answered. */
function slowStore() {
  const clock = new ManualClock()
  const store = answering(new ReferenceStore(clock.now), { turns: 3 })
  const { mock } = vi.spyOn(store, 'evaluate')
  const asked = (): Mode[] => mock.calls.map(([{ demands }]) => demands[0]!.mode)
  const answered = (): Mode[] => asked().filter((_, i) => mock.settledResults[i]?.type === 'fulfilled')
  return { clock, store, asked, answered }
}

describe('what is with the store when callers leave', () => {
  it('close() resolves when the store has taken back the places of those that waited', async () => {
    const { store, answered } = slowStore()
    const limiter = new RateLimiter({ store, policy: { name: 'calls', limit: 1, window: 10 } })
    const [first, second] = [1, 2].map(async () => limiter.acquire('stripe', { maxWait: '1h' }))
    await first
    second!.catch(() => {})
    await limiter.close()
    expect(answered()).toEqual([Mode.CHARGE, Mode.CHARGE, Mode.SETTLE])
  })

  it('the store is not asked for a caller that has left when a permit is given back', async () => {
    const { store, asked } = slowStore()
    const limiter = new RateLimiter({
      store,
      policy: { name: 'calls', algorithm: 'concurrency', limit: 1, ttl: 60 },
    })
    const first = await limiter.acquire('stripe')
    const leaving = new AbortController()
    const turn = limiter.acquire('stripe', { maxWait: '1h', signal: leaving.signal })
    await turns(4)
    leaving.abort()
    await turn.catch(() => {})
    const before = asked().length
    await limiter.release(first)
    await turns(4)
    expect(asked().slice(before)).toEqual([Mode.SETTLE])
    await limiter.close()
  })

  it('close() resolves when the store has taken back what a caller was given whose policies were still being found', async () => {
    const { clock, store, asked, answered } = slowStore()
    let isSlow = false
    const limiter = new RateLimiter({
      store,
      policy: async () => {
        if (isSlow) await turns(8)
        return { name: 'calls', algorithm: 'fixed-window', limit: 1, window: 10 }
      },
    })
    const request = { method: 'GET', path: '/', headers: {}, ip: '203.0.113.7' }
    await limiter.check(request)
    const leaving = new AbortController()
    const ends: Promise<unknown>[] = []
    for (const signal of [leaving.signal, undefined]) {
      ends.push(limiter.acquire(request, { maxWait: '1h', ...(signal && { signal }) }))
      await turns(12)
    }
    const settled = Promise.allSettled(ends)
    // The second asked behind the first. When that has left, it asks anew, and would start.
    isSlow = true
    clock.advance(20)
    leaving.abort()
    await turns(1)
    await limiter.close()
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const all = [Mode.CHARGE, Mode.CHARGE, Mode.CHARGE, Mode.SETTLE]
    expect([asked(), answered()]).toEqual([all, all])
  })
})

describe('many callers that leave', () => {
  it('many callers that leave cost as much each as one that leaves alone', async () => {
    const clock = new ManualClock()
    let asked = 0
    const now = (): number => {
      asked++
      return clock.now()
    }
    const leave = async (count: number): Promise<number> => {
      const store = new ReferenceStore(now)
      const limiter = new RateLimiter({ store, policy: { name: 'calls', limit: 1, window: 10 } })
      const leaving = new AbortController()
      const turns = Array.from({ length: count }, () =>
        limiter.acquire('stripe', { maxWait: '24h', signal: leaving.signal }),
      )
      await turns[0]
      asked = 0
      leaving.abort()
      await Promise.allSettled(turns)
      expect((await limiter.explain('stripe')).policies[0]?.line).toBeUndefined()
      return asked / count
    }
    const [few, many] = [await leave(20), await leave(400)]
    expect(many).toBeLessThan(2 * few)
  })

  describe('while time passes', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
    afterEach(() => void vi.useRealTimers())

    it('callers behind one that leaves start in order, though a pause freezes the line', async () => {
      const { limiter, acquire, pass, starts } = passingWorld()
      const own = limiter({ name: 'api', limit: 10, window: 1, burst: 1 })
      await acquire(own, 's', 0)
      const gone = new AbortController()
      const turn = own.acquire('s', { signal: gone.signal }).catch(() => undefined)
      // These two stand at 200 and 300 ms, and move up to 100 and 200.
      for (const name of [2, 3]) void acquire(own, 's', name)
      await pass(50)
      gone.abort()
      await turn
      await own.pause('s', { for: '70ms' })
      await pass(400)
      expect(starts.map(({ name, at }) => [name, at])).toEqual([
        [0, 0],
        [2, 170],
        [3, 270],
      ])
    })
  })
})
