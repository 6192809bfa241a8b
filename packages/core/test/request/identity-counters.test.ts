import { describe, expect, it } from 'vitest'

import { QuotaManager, type Policy } from '../../src/index.ts'
import { by, keyed, view, world } from '../world.ts'

const LONG = 'x'.repeat(1 << 20)

describe('identities and requests', () => {
  const policy = (keyStrategy: Policy['keyStrategy']): Policy =>
    ({ name: 'p', limit: 10, window: 60, keyStrategy }) as Policy

  it.each([
    ['user', by(42), { user: '42' }],
    ['user', by('#x'), { user: '#x' }],
    ['user', by(LONG), { user: LONG }],
    ['ip', view(), { ip: '203.0.113.7' }],
    ['ip', view({ ip: '::ffff:cb00:7107' }), { ip: '203.0.113.7' }],
    ['ip', view({ ip: '2001:db8:0:1234:5678::1' }), { ip: '2001:db8:0:12ff::9' }],
    ['api-key', keyed('sk_live'), { apiKey: 'sk_live' }],
    ['api-key', view({ headers: { authorization: 'Bearer sk_live' } }), { apiKey: 'sk_live' }],
  ] as const)('are counted on one counter: %s', async (strategy, request, identity) => {
    const limiter = world().limiter(policy(strategy))
    await limiter.check(request, { cost: 3 })
    expect((await limiter.consume(identity, { cost: 4 })).remaining).toBe(3)
    expect((await limiter.check(request)).remaining).toBe(2)
  })

  it('are counted on one counter for an extracted key', async () => {
    const limiter = world().limiter({ name: 'p', limit: 10, window: 60, keyExtractor: () => 'acme' })
    await limiter.check(view(), { cost: 3 })
    expect((await limiter.consume('acme')).remaining).toBe(6)
    expect((await limiter.consume({ custom: 'acme' })).remaining).toBe(5)
  })

  it('of quotas agree as well, with secret and ipv6Prefix alike', async () => {
    const { limiter, store } = world(Date.now())
    const options = { secret: 'a secret of some length', ipv6Prefix: 48 }
    const quota = { name: 'q', limit: 10, period: 'yearly', keyStrategy: 'ip' } as const
    const quotas = new QuotaManager(store, options)
    const ip = '2001:db8:7:1111::1'
    await limiter(quota, options).check(view({ ip }), { cost: 3 })
    expect((await quotas.checkQuota({ ip: '2001:db8:7:2222::2' }, quota)).quota.used).toBe(3)
    const byKey = { ...quota, name: 'k', keyStrategy: 'api-key' } as const
    await limiter(byKey, options).check(keyed('sk_live'), { cost: 2 })
    expect((await quotas.checkQuota({ apiKey: 'sk_live' }, byKey)).quota.used).toBe(2)
    expect((await new QuotaManager(store).checkQuota({ apiKey: 'sk_live' }, byKey)).quota.used).toBe(0)
  })
})
