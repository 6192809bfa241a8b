import { RateLimiter, type Decision } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'

function logins(limit: number, inFlight: number): { limiter: RateLimiter; clock: ManualClock } {
  const clock = new ManualClock()
  const policy = { name: 'login', limit, window: '1h', algorithm: 'fixed-window', inFlight } as const
  return { limiter: new RateLimiter({ store: new InMemoryStore({ clock: clock.now }), policy }), clock }
}

/** Ends a login as an adapter does: settles a good one to 0, then releases it. */
async function end(limiter: RateLimiter, decision: Decision, good: boolean): Promise<void> {
  if (good) await limiter.settle(decision, 0)
  await limiter.release(decision)
}

describe('a policy that charges only failures', () => {
  it('a policy that charges only failures admits at most limit + inFlight parallel guesses', async () => {
    const { limiter } = logins(3, 5)
    let tried = 0
    for (let round = 0; round < 10; round++) {
      const decisions = await Promise.all(Array.from({ length: 50 }, () => limiter.consume('victim')))
      const admitted = decisions.filter(({ allowed }) => allowed)
      tried += admitted.length
      for (const decision of admitted) await end(limiter, decision, false)
    }
    expect(tried).toBeGreaterThanOrEqual(3)
    expect(tried).toBeLessThanOrEqual(3 + 5)
  })

  it('a policy that charges only failures admits as many good parallel logins as inFlight, again and again', async () => {
    const { limiter } = logins(3, 10)
    for (let round = 0; round < 20; round++) {
      const decisions = await Promise.all(Array.from({ length: 10 }, () => limiter.consume('user')))
      expect(decisions.every(({ allowed }) => allowed)).toBe(true)
      for (const decision of decisions) await end(limiter, decision, true)
    }
  })

  it('a failure is charged once, when it has ended', async () => {
    const { limiter } = logins(3, 5)
    const first = await limiter.consume('user')
    expect(first.remaining).toBe(3)
    await end(limiter, first, false)
    await end(limiter, first, false)
    expect((await limiter.peek('user')).remaining).toBe(2)
  })

  it('the lease of an attempt whose end was lost is over after its time', async () => {
    const { limiter, clock } = logins(3, 1)
    await limiter.consume('user')
    expect((await limiter.consume('user')).allowed).toBe(false)
    clock.advance(67)
    expect((await limiter.consume('user')).allowed).toBe(true)
  })

  it('a limiter refuses a wrong inFlight, or one beside concurrency, at construction', () => {
    const limiter = (policy: object): RateLimiter =>
      new RateLimiter({ store: new InMemoryStore(), policy: policy as never })
    for (const inFlight of [0, -1, 1.5, Number.NaN, '5']) {
      expect(() => limiter({ name: 'p', limit: 1, window: 1, inFlight })).toThrow(
        expect.objectContaining({ code: 'HALT_E_IN_FLIGHT' }),
      )
    }
    expect(() => limiter({ name: 'p', limit: 1, ttl: 1, algorithm: 'concurrency', inFlight: 2 })).toThrow(
      /HALT_E_IN_FLIGHT/,
    )
  })
})
