// What headers, the usage page and telemetry tell of tenants that share a limit.
import { describe, expect, it } from 'vitest'

import { MetricsTelemetry, type Policy } from '../../src/index.ts'
import { headerWriter, usageOf } from '../../src/http/index.ts'
import { by, type World, world } from '../world.ts'

// Filled in 100 s, so that a turn takes whole seconds.
const BACKEND: Policy = {
  name: 'backend',
  limit: 600,
  window: 60,
  burst: 1000,
  keyStrategy: 'shared',
  fair: { by: 'user' },
}

/** Lets a loud tenant take what it gets, and somewhat more come back. */
async function drained(telemetry?: object) {
  const made: World = world()
  const limiter = made.limiter(BACKEND, telemetry)
  while ((await limiter.check(by('loud'))).allowed);
  made.clock.advance(2)
  const refused = await limiter.check(by('loud'))
  expect(refused).toMatchObject({ allowed: false, reason: 'fair-share' })
  return { ...made, limiter, refused }
}

describe('a refusal in favour of other tenants', () => {
  it('a refused tenant has nothing left in draft-11, and reads there when its turn comes', async () => {
    const { limiter, refused } = await drained()
    const headers = headerWriter('draft-11', limiter)(refused)
    expect(headers['RateLimit-Policy']).toBe('"backend";q=600;w=60')
    expect(headers['RateLimit']).toBe(`"backend";r=0;t=${refused.retryAfter}`)
    expect(headers['Retry-After']).toBe(String(refused.retryAfter))
    const served = await limiter.check(by('quiet'))
    expect(served.allowed).toBe(true)
    expect(headerWriter('draft-11', limiter)(served)['RateLimit']).toMatch(/^"backend";r=19;t=\d+$/)
  })

  it('a refusal has the partition key of its tenant in draft-8', async () => {
    const { limiter, refused } = await drained()
    const served = await limiter.check(by('quiet'))
    const partition = (decision: typeof served): string =>
      /pk=:(.+):/.exec(headerWriter('draft-8', limiter)(decision)['RateLimit-Policy']!)![1]!
    expect(partition(refused)).toBe(limiter.partitionOf('user:loud'))
    expect(partition(served)).toBe(limiter.partitionOf('user:quiet'))
  })

  it('a refused tenant has nothing left on the usage page until its turn', async () => {
    const { limiter, refused } = await drained()
    const usage = async (user: string) => (await usageOf(limiter, by(user))).body.limits
    expect(await usage('loud')).toEqual([
      expect.objectContaining({
        policy: 'backend',
        limit: 600,
        remaining: 0,
        retry_after: refused.retryAfter,
      }),
    ])
    expect(await usage('quiet')).toEqual([
      expect.objectContaining({ policy: 'backend', limit: 600, remaining: 20, retry_after: 0 }),
    ])
  })

  it('a fair-share refusal is counted by its reason', async () => {
    const reasons: string[] = []
    const client = {
      increment: (name: string, _value: number, tags: Readonly<Record<string, string>>) =>
        void (name === 'halt.requests.blocked' && reasons.push(tags['reason']!)),
      gauge: () => {},
      histogram: () => {},
    }
    await drained({ telemetry: new MetricsTelemetry(client) })
    expect(reasons.at(-1)).toBe('fair-share')
  })
})
