import { runInNewContext } from 'node:vm'

import { type Policy, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'

import { adviceOn } from '../../src/playground/advice.ts'
import { propose } from '../../src/playground/calculator.ts'
import { policyCode } from '../../src/playground/policy-code.ts'
import type { PlayPolicy } from '../../src/playground/setup.ts'

/** Runs the code that the page offers. */
const run = (code: string): PlayPolicy | PlayPolicy[] => runInNewContext(`${code}; policy`) as PlayPolicy

describe('the code of policies', () => {
  const policy: PlayPolicy = { name: 'api', limit: 10, window: '10s', burst: 20, keyStrategy: 'user' }

  it('the code of a policy makes the same policy', () => {
    expect(policyCode([policy])).toBe(
      "const policy = { name: 'api', limit: 10, window: '10s', burst: 20, keyStrategy: 'user' }",
    )
    expect(run(policyCode([policy]))).toEqual(policy)
  })

  it('the code of a policy has the tenants of a shared limit', () => {
    const shared: PlayPolicy = {
      name: 'all',
      limit: 50,
      window: 1,
      keyStrategy: 'shared',
      fair: { by: 'user' },
    }
    expect(policyCode([shared])).toContain("keyStrategy: 'shared', fair: { by: 'user' } }")
    expect(run(policyCode([shared]))).toEqual(shared)
  })

  it('the code of two policies makes a list of both', () => {
    const other: PlayPolicy = { name: 'other', limit: 5, window: '1m', keyStrategy: 'shared' }
    expect(run(policyCode([policy, other]))).toEqual([policy, other])
  })
})

describe('the calculator', () => {
  it('the calculator gives a user ten times what a busy one needs, and an address ten users', () => {
    const { policies, reasons } = propose({ users: 100, perMinute: 30, atOnce: 15, capacity: 0 })
    expect(policies).toEqual([
      { name: 'per_user', limit: 300, window: '1m', burst: 23, keyStrategy: 'user' },
      { name: 'per_address', limit: 3000, window: '1m', burst: 230 },
    ])
    expect(reasons).toContain('If all 100 users are busy, 50 requests per second come.')
  })

  it('the calculator gives one user at most 5 % of what the service bears, and everybody 80 %', () => {
    const { policies, reasons } = propose({ users: 2000, perMinute: 30, atOnce: 15, capacity: 50 })
    expect(policies.map(({ name, limit }) => [name, limit])).toEqual([
      ['per_user', 150],
      ['per_address', 1500],
      ['everybody', 40],
    ])
    expect(reasons.at(-1)).toMatch(/^That is not enough for all/)
  })

  it('the calculator gives policies that a limiter takes', () => {
    const { policies } = propose({ users: 1, perMinute: 1, atOnce: 1, capacity: 1 })
    expect(
      () => new RateLimiter({ store: new InMemoryStore(), policy: policies as readonly Policy[] }),
    ).not.toThrow()
  })
})

describe('the advice to a client', () => {
  it('the advice to a client follows the answer', async () => {
    const policy: Policy = { name: 'api', limit: 2, window: 60, blockDuration: '5m' }
    const limiter = new RateLimiter({ store: new InMemoryStore({ clock: () => 1e12 }), policy })
    const said: string[] = []
    for (const cost of [1, 1, 1, 1, 3]) said.push(adviceOn(await limiter.consume('client', { cost })))
    expect(said).toEqual([
      'Go on: 1 more unit is left now.',
      'This was the last unit for now. Slow down, or the next request is refused.',
      'Wait 300 s, then send the same request again. It passes then if nobody else asks.',
      'Wait 300 s, then send the same request again. The cool-down does not get longer meanwhile.',
      'Do not send it again: it costs more than api ever admits.',
    ])
    expect(adviceOn(undefined)).toBe('Nothing was sent yet.')
  })
})
