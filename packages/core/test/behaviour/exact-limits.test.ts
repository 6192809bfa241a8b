import { expect, it } from 'vitest'

import { presets } from '../../src/index.ts'
import { admitted, START, times, view, world } from '../world.ts'

it.each([1, 10, 100])(
  'a client that asks %d times per second gets no more than one that waits: 5 per minute admit 59 in ten minutes',
  async perSecond => {
    const { clock, limiter } = world()
    const auth = limiter({ ...presets.AUTH_ENDPOINTS, blockDuration: undefined })
    let passed = 0
    for (let i = 0; i < 600 * Math.min(perSecond, 10); i++) {
      // A hundred requests per second come in bursts, which makes no difference to the arithmetic.
      passed += await admitted(Math.max(1, perSecond / 10), auth)
      clock.advance(1 / Math.min(perSecond, 10))
    }
    expect(passed).toBe(59)
  },
)

it('a sliding window tells the true wait as retryAfter', async () => {
  const { clock, limiter } = world()
  const one = limiter({ name: 'p', limit: 10, window: 60, algorithm: 'sliding-window' })
  await times(10, one)
  const { retryAfter } = await one.check(view())
  expect(retryAfter).toBe(66)
  clock.advance(retryAfter)
  expect((await one.check(view())).allowed).toBe(true)
})

it('a sliding window of 100 admits 100 in 54 seconds, however often a client asks', async () => {
  const { clock, limiter } = world()
  const one = limiter({ name: 'p', limit: 100, window: 60, algorithm: 'sliding-window' })
  let passed = await admitted(150, one)
  for (let i = 0; i < 540; i++) {
    clock.advance('100ms')
    passed += await admitted(2, one)
  }
  expect(passed).toBe(100)
})

it('a decision’s resetAt describes the bucket after its request', async () => {
  const first = await world().limiter({ name: 'p', limit: 60, window: 60 }).check(view(), { cost: 60 })
  expect(first.resetAt).toBe(START / 1000 + 60)
})

it('a decision shows the limit of its policy, whatever the window', async () => {
  for (let window = 1; window <= 200; window++) {
    for (const limit of [1, 3, 7, 100]) {
      expect((await world().limiter({ name: 'p', limit, window }).check(view())).limit).toBe(limit)
    }
  }
})

it('a drained bucket admits only the units that were refilled', async () => {
  const { clock, limiter } = world()
  const one = limiter({ name: 'p', limit: 10, window: 60, burst: 1000 })
  await one.check(view(), { cost: 1000 })
  clock.advance(120)
  expect(await admitted(100, one)).toBe(20)
})
