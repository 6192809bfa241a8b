import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startRedis, type RunningServer } from '../../../tools/servers.ts'
import { LIMIT } from '../src/logins/contestant.ts'
import { haltLogins } from '../src/logins/halt.ts'
import { rushLogins } from '../src/logins/index.ts'
import { consumeThenReward, peekThenConsume, skipSuccessful } from '../src/logins/peers.ts'

const MANY = 150

// A server of its own, because it is flushed between the contestants.
let redis: RunningServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

describe.each(['memory', 'Redis'])('counting only failed logins in %s', where => {
  const rush = (contestant: Parameters<typeof rushLogins>[0]): ReturnType<typeof rushLogins> =>
    rushLogins(contestant, where === 'memory' ? undefined : redis.url, MANY)

  it.each([1, 2, 10])('Halt with inFlight %i admits that many guesses at once, then none', async inFlight => {
    const found = await rush(haltLogins(inFlight))
    expect(found.of50).toBeLessThanOrEqual(LIMIT + inFlight)
    expect(found.ofMany).toBeLessThanOrEqual(LIMIT + inFlight)
    expect(found.of50).toBeGreaterThanOrEqual(Math.min(inFlight, LIMIT))
    expect(found.of50 + found.again).toBeLessThanOrEqual(LIMIT + inFlight)
    // Good logins up to `inFlight` at once are never refused.
    expect(found.goodRefused).toBe(10 - inFlight)
  })

  it('Halt without inFlight admits three guesses, and refuses good logins', async () => {
    expect(await rush(haltLogins(undefined))).toEqual({ of50: 3, again: 0, ofMany: 3, goodRefused: 7 })
  })

  it('express-rate-limit with skipSuccessfulRequests refuses good logins', async () => {
    expect(await rush(skipSuccessful)).toEqual({ of50: 3, again: 0, ofMany: 3, goodRefused: 7 })
  })

  it('rate-limiter-flexible with consume then reward refuses good logins', async () => {
    expect(await rush(consumeThenReward)).toEqual({ of50: 3, again: 0, ofMany: 3, goodRefused: 7 })
  })

  it('rate-limiter-flexible with get then consume admits every guess', async () => {
    expect(await rush(peekThenConsume)).toEqual({ of50: 50, again: 0, ofMany: MANY, goodRefused: 0 })
  })
})
