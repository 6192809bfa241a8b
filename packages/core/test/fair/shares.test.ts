import { InMemoryStore } from '../../../store-memory/src/index.ts'
import { describe, expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/index.ts'

const BACKEND = {
  name: 'backend',
  limit: 1000,
  window: '1s',
  keyStrategy: 'shared',
  fair: { by: 'user' },
} as const

/** Tenants that ask at their rates, in steps of 1 ms, and how many units each got in the second half. */
async function simulate(
  policy: object,
  tenants: Readonly<Record<string, number>>,
  seconds = 10,
): Promise<Record<string, number>> {
  const clock = new ManualClock(1_700_000_000_000)
  const limiter = new RateLimiter({ store: new InMemoryStore({ clock: clock.now }), policy: policy as never })
  const got: Record<string, number> = Object.fromEntries(Object.keys(tenants).map(name => [name, 0]))
  const due: Record<string, number> = Object.fromEntries(Object.keys(tenants).map((name, i) => [name, (i * 0.37) % 1]))
  for (let ms = 0; ms < seconds * 1000; ms++) {
    clock.advance('1ms')
    for (const [name, rate] of Object.entries(tenants)) {
      due[name]! += rate / 1000
      while (due[name]! >= 1) {
        due[name]!--
        const { allowed } = await limiter.consume({ user: name })
        if (allowed && ms >= seconds * 500) got[name]!++
      }
    }
  }
  return got
}

describe('fair shares of a bucket', () => {
  it('give quiet tenants all they ask for beside a loud one', async () => {
    const got = await simulate(BACKEND, { loud: 20_000, a: 20, b: 50, c: 3 })
    console.log(got)
    expect(got['a']).toBeGreaterThanOrEqual(99)
  })
  it('give equal shares to tenants that all want more', async () => {
    console.log(await simulate(BACKEND, { a: 20_000, b: 2000, c: 500 }))
  })
})
