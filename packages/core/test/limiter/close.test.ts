import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { type Policy, type HaltWarning, RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'

const policy: Policy = { name: 'p', limit: 10, window: 60, keyStrategy: 'user', inFlight: 5 }
const ann = { user: 'ann' }

/** A store that answers after some milliseconds, and nobody once it was closed. */
function remote(ms: number) {
  const counters = new ReferenceStore(Date.now)
  const seen = { closed: false, refusals: 0 }
  const store: Store = {
    kind: 'remote',
    async evaluate(group) {
      await sleep(ms)
      if (seen.closed) {
        seen.refusals++
        throw new Error('The store was closed')
      }
      return counters.evaluate(group)
    },
    forget: async list => counters.forget(list),
    close: () => void (seen.closed = true),
  }
  const warned: HaltWarning[] = []
  const open = (more: Partial<RateLimiterOptions> = {}): RateLimiter =>
    new RateLimiter({
      store,
      policy,
      storeTimeout: '5s',
      warn: warning => void warned.push(warning),
      ...more,
    })
  const left = async (): Promise<number> =>
    (await new RateLimiter({ store: counters, policy }).peek(ann)).remaining
  return { store, seen, warned, open, left }
}

describe('close()', () => {
  it('close() waits for a check that is on its way', async () => {
    const { seen, warned, open, left } = remote(20)
    const limiter = open()
    const checked = limiter.consume(ann)
    await limiter.close()
    expect(await checked).toMatchObject({ allowed: true, degraded: false })
    expect([seen.closed, seen.refusals, warned]).toEqual([true, 0, []])
    // The held cost of the check was charged.
    expect(await left()).toBe(9)
  })

  it('close() waits for a refund that begins when a charge has been answered', async () => {
    const { seen, open, left } = remote(20)
    const limiter = open()
    const decision = await limiter.consume(ann)
    void limiter.conclude(decision, true).then(() => limiter.settle(decision, 0))
    await limiter.close()
    expect(seen.refusals).toBe(0)
    expect(await left()).toBe(10)
  })

  it('close() waits for an answer of chargeWhen, but not for ever', async () => {
    const { open, left } = remote(1)
    const limiter = open({ callbackTimeout: '200ms', storeTimeout: '100ms' })
    const [soon, never] = [await limiter.consume(ann), await limiter.consume(ann)]
    void limiter.conclude(soon, sleep(30, false))
    void limiter.conclude(never, new Promise<boolean>(() => {}))
    await limiter.close()
    // One is refunded. The other was charged, as its application never answered.
    expect(await left()).toBe(9)
  })

  it('a settlement and a release after close() are dropped without a warning', async () => {
    const { seen, warned, open } = remote(1)
    const limiter = open()
    const decision = await limiter.consume(ann)
    await limiter.close()
    await limiter.settle(decision, 0)
    await limiter.release(decision)
    expect([seen.refusals, warned]).toEqual([0, []])
  })

  it('close() leaves the store open for another limiter, whose requests still settle', async () => {
    const { seen, open, left } = remote(1)
    const [first, second] = [open(), open()]
    const decision = await second.consume(ann)
    await first.close()
    expect(seen.closed).toBe(false)
    await second.settle(decision, 0)
    await second.close()
    expect(seen.closed).toBe(true)
    expect(await left()).toBe(10)
  })

  it('close() returns the promise of the first call for a second one', async () => {
    const { open } = remote(1)
    const limiter = open()
    const first = limiter.close()
    expect(limiter.close()).toBe(first)
    await first
  })

  it.each(['25h', '30d', 0, -1, 'soon', Number.NaN])(
    'close() rejects finishLine: %o, and leaves the limiter open',
    async finishLine => {
      const { open } = remote(1)
      const limiter = open()
      await expect(limiter.close({ finishLine })).rejects.toMatchObject({ code: 'HALT_E_DURATION' })
      expect((await limiter.consume(ann)).degraded).toBe(false)
      await limiter.close({ finishLine: '24h' })
    },
  )

  it('close() waits for a store that does not close no longer than callbackTimeout', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { store, open } = remote(1)
    const called = new Promise<void>(resolve => {
      const close = (): Promise<void> => {
        resolve()
        return new Promise(() => {})
      }
      Object.assign(store, { close })
    })
    const order: string[] = []
    void open({ callbackTimeout: '50ms' })
      .close()
      .then(() => order.push('closed'))
    await called
    for (const ms of [40, 20]) {
      await vi.advanceTimersByTimeAsync(ms)
      // A wait ends after the event loop has read its sockets once more.
      await new Promise(resolve => void setImmediate(resolve))
      order.push(`${ms} ms later`)
    }
    expect(order).toEqual(['40 ms later', 'closed', '20 ms later'])
  })
})
