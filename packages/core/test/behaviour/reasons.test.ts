import { describe, expect, it } from 'vitest'

import { presets, type Policy, type Reason } from '../../src/index.ts'
import { times, world } from '../world.ts'

const reasons = async (count: number, policy: Policy, options = {}): Promise<Reason[]> =>
  (await times(count, world().limiter(policy, options))).map(({ reason }) => reason)

describe('the reason of a refusal', () => {
  it('a refusal is "limited" when it starts a cool-down, and "blocked" from then on, even at the same instant', async () => {
    const policy = { name: 'p', limit: 1, window: 60, blockDuration: 300 }
    expect(await reasons(4, policy)).toEqual(['ok', 'limited', 'blocked', 'blocked'])
    expect((await reasons(13, presets.AUTH_ENDPOINTS)).slice(9)).toEqual([
      'ok',
      'limited',
      'blocked',
      'blocked',
    ])
  })

  it('a peek during a cool-down is "blocked"', async () => {
    const limiter = world().limiter({ name: 'p', limit: 1, window: 60, blockDuration: 300 })
    await times(2, limiter)
    expect(await limiter.peek({ ip: '203.0.113.7' })).toMatchObject({ reason: 'blocked', retryAfter: 300 })
  })

  it('a refusal is "penalized" from the one that starts the penalty, with the smaller limit', async () => {
    const options = { penalty: { threshold: 2, duration: 3600, multiplier: 0.5, cooldown: 0 } }
    const policy = { name: 'p', limit: 4, window: 60 }
    expect((await reasons(8, policy, options)).slice(3)).toEqual([
      'ok',
      'limited',
      'penalized',
      'penalized',
      'penalized',
    ])
  })
})
