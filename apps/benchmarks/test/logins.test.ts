import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startRedis, type RunningServer } from '../../../tools/servers.ts'
import { LIMIT } from '../src/logins/contestant.ts'
import { haltLogins } from '../src/logins/halt.ts'
import { rushLogins } from '../src/logins/index.ts'
import { consumeThenReward, peekThenConsume, skipSuccessful } from '../src/logins/peers.ts'

// Its own: it is emptied between the contestants.
let redis: RunningServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

describe.each(['memory', 'Redis'])('counting only failed logins in %s', where => {
  const rush = (contestant: Parameters<typeof rushLogins>[0]): ReturnType<typeof rushLogins> =>
    rushLogins(contestant, where === 'memory' ? undefined : redis.url)

  it.each([1, 2, 10])('Halt with inFlight %i: no more than that at once, then none', async inFlight => {
    const found = await rush(haltLogins(inFlight))
    expect(found.of50).toBeLessThanOrEqual(LIMIT + inFlight)
    expect(found.of500).toBeLessThanOrEqual(LIMIT + inFlight)
    expect(found.of50).toBeGreaterThanOrEqual(Math.min(inFlight, LIMIT))
    expect(found.of50 + found.again).toBeLessThanOrEqual(LIMIT + inFlight)
    // As many good ones as may be in flight are never refused.
    expect(found.goodRefused).toBe(10 - inFlight)
  })

  it('Halt without it: three guesses, and good logins are refused', async () => {
    expect(await rush(haltLogins(undefined))).toEqual({ of50: 3, again: 0, of500: 3, goodRefused: 7 })
  })

  it('express-rate-limit, skipSuccessfulRequests: good logins are refused', async () => {
    expect(await rush(skipSuccessful)).toEqual({ of50: 3, again: 0, of500: 3, goodRefused: 7 })
  })

  it('rate-limiter-flexible, consume then reward: good logins are refused', async () => {
    expect(await rush(consumeThenReward)).toEqual({ of50: 3, again: 0, of500: 3, goodRefused: 7 })
  })

  it('rate-limiter-flexible, get then consume: every guess is let in', async () => {
    expect(await rush(peekThenConsume)).toEqual({ of50: 50, again: 0, of500: 500, goodRefused: 0 })
  })
})
