import { ModernFakeTimers } from '@jest/fake-timers'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import { fakeTimersClock, ReferenceStore } from '../../src/testing/index.ts'

// The timers that `jest.useFakeTimers()` installs.
const jest = new ModernFakeTimers({ config: { fakeTimers: {}, rootDir: '.' } as never, global: globalThis })

afterEach(() => {
  vi.useRealTimers()
  jest.useRealTimers()
})

describe.each([
  ['Vitest', () => vi.useFakeTimers(), (ms: number) => vi.advanceTimersByTime(ms)],
  [
    'Vitest, Date alone',
    () => vi.useFakeTimers({ toFake: ['Date'] }),
    (ms: number) => vi.advanceTimersByTime(ms),
  ],
  ['Jest', () => jest.useFakeTimers(), (ms: number) => jest.advanceTimersByTime(ms)],
])('the fake timers of %s', (_name, useFakeTimers, advance) => {
  it('fake timers move a store on fakeTimersClock', async () => {
    // Made before the timers are faked, as an app makes it.
    const store = new ReferenceStore(fakeTimersClock)
    const limiter = new RateLimiter({ store, policy: { name: 'p', limit: 1, window: 60 } })
    useFakeTimers()
    expect((await limiter.consume('job')).allowed).toBe(true)
    expect((await limiter.consume('job')).retryAfter).toBe(60)
    advance(59_999)
    expect((await limiter.consume('job')).retryAfter).toBe(1)
    advance(1)
    expect((await limiter.consume('job')).allowed).toBe(true)
  })

  it('fake timers move a quota past the end of its month', async () => {
    const store = new ReferenceStore(fakeTimersClock)
    const limiter = new RateLimiter({ store, policy: { name: 'q', limit: 1, period: 'monthly' } })
    useFakeTimers()
    expect((await limiter.consume({ user: '42' })).allowed).toBe(true)
    expect((await limiter.consume({ user: '42' })).allowed).toBe(false)
    advance(31 * 86_400_000)
    expect((await limiter.consume({ user: '42' })).allowed).toBe(true)
  })
})

it('vi.setSystemTime moves fakeTimersClock', () => {
  vi.setSystemTime(Date.UTC(2030, 0, 1))
  expect(fakeTimersClock()).toBe(Date.UTC(2030, 0, 1))
})

it('fakeTimersClock tells the real time where no timers are faked', () => {
  const before = Date.now()
  expect(fakeTimersClock()).toBeGreaterThanOrEqual(before)
  expect(fakeTimersClock()).toBeLessThan(before + 60_000)
})
