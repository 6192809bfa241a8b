import { RateLimiter } from '@halt/core'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../src/index.ts'

const rejects = async (): Promise<never> => {
  throw new Error('no time')
}
const policy = { name: 'p', limit: 2, window: 60, blockDuration: 300 }

describe('the clock of InMemoryStore', () => {
  it('the clock never goes back, so a jump of an hour backwards frees and locks nobody', async () => {
    let now = 1e12
    const limiter = new RateLimiter({
      store: new InMemoryStore({ clock: () => now }),
      policy: { name: 'p', limit: 2, window: 60 },
    })
    await limiter.consume('a')
    await limiter.consume('a')
    now -= 3_600_000
    expect((await limiter.consume('a')).retryAfter).toBe(30)
    now += 3_600_000 + 30_000
    expect((await limiter.consume('a')).allowed).toBe(true)
  })

  it('the clock stands still when the function returns no instant', async () => {
    // Made when it is asked for, because nobody handles it before.
    const told = [1e12, Number.NaN, Number.NEGATIVE_INFINITY, 1.7e18].map(each => () => each)
    const answers = [...told, rejects as unknown as () => number]
    const limiter = new RateLimiter({
      store: new InMemoryStore({ clock: () => answers.shift()?.() ?? 1e12 }),
      policy,
    })
    expect((await limiter.consume('a')).allowed).toBe(true)
    expect((await limiter.consume('a')).allowed).toBe(true)
    expect((await limiter.consume('a')).allowed).toBe(false)
  })

  it('the clock does not follow a jump of the wall clock', async () => {
    const limiter = new RateLimiter({ store: new InMemoryStore(), policy })
    for (let i = 0; i < 3; i++) await limiter.consume('a')
    const real = Date.now
    try {
      Date.now = () => real() + 3_600_000
      expect((await limiter.consume('a')).allowed).toBe(false)
    } finally {
      Date.now = real
    }
  })
})

describe('the options of InMemoryStore', () => {
  it('InMemoryStore throws a code for wrong options', () => {
    for (const options of [
      { maxKeys: 0 },
      { maxKeys: 1.5 },
      { maxKeys: Number.NaN },
      { maxKeys: '5' },
      { maxKey: 5 },
      { clock: 5 },
      null,
      5,
    ]) {
      expect(() => new InMemoryStore(options as never)).toThrow(
        expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }),
      )
    }
  })

  it('InMemoryStore counts by the clock of the process if its options are undefined', async () => {
    const real = Date.now
    const store = new InMemoryStore({ maxKeys: undefined, clock: undefined, other: undefined } as never)
    const limiter = new RateLimiter({ store, policy })
    const before = real() / 1000
    for (const allowed of [true, true, false]) expect((await limiter.consume('a')).allowed).toBe(allowed)
    const { resetAt } = await limiter.peek('a')
    expect(resetAt).toBeGreaterThanOrEqual(Math.floor(before + 300))
    expect(resetAt).toBeLessThanOrEqual(Math.ceil(real() / 1000 + 300))
  })
})

it('the stack of an option error begins where the user made the mistake', () => {
  expect(firstLine(() => new InMemoryStore({ maxKeys: 0 }))).toContain('clock.test.ts')
})

/** The first line of the stack of the error that a call throws. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
