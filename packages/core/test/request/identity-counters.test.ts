import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Identity, PenaltyManager, type Policy, QuotaManager } from '../../src/index.ts'
import { by, CLIENT, keyed, rejection, view, world } from '../world.ts'

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
  ] as const)('a request and its identity share a counter: %s', async (strategy, request, identity) => {
    const limiter = world().limiter(policy(strategy))
    await limiter.check(request, { cost: 3 })
    expect((await limiter.consume(identity, { cost: 4 })).remaining).toBe(3)
    expect((await limiter.check(request)).remaining).toBe(2)
  })

  it('a request and its identity share one counter for an extracted key', async () => {
    const limiter = world().limiter({ name: 'p', limit: 10, window: 60, keyExtractor: () => 'acme' })
    await limiter.check(view(), { cost: 3 })
    expect((await limiter.consume('acme')).remaining).toBe(6)
    expect((await limiter.consume({ custom: 'acme' })).remaining).toBe(5)
  })

  it.each<[Identity, ReturnType<typeof view>]>([
    [{ user: '42', ip: CLIENT }, by(42)],
    [{ ip: '2001:db8:7:11ff::1', user: '42' }, by(42, { ip: '2001:db8:7:1111::9' })],
    [{ apiKey: 'sk_live', ip: CLIENT }, keyed('sk_live')],
    [{ ip: CLIENT }, view()],
  ])('a request and its identity share one composite counter: %o', async (identity, request) => {
    const limiter = world().limiter(policy('composite'))
    await limiter.check(request, { cost: 3 })
    expect((await limiter.consume(identity, { cost: 4 })).remaining).toBe(3)
    expect((await limiter.check(request)).remaining).toBe(2)
  })

  it('a request and its identity share one penalty, with the same secret and ipv6Prefix', async () => {
    const { limiter, store } = world()
    const options = { secret: 'a secret of some length', ipv6Prefix: 48 }
    const penalties = new PenaltyManager({ store, ...options })
    const penalized = limiter(policy('api-key'), { ...options, penalty: {}, apiKey: () => 'sk_live' })
    await penalties.applyPenalty({ apiKey: 'sk_live' })
    expect((await penalized.peek(view())).limit).toBe(5)
    await penalties.applyPenalty({ ip: '2001:db8:7:1111::1' })
    const byAddress = limiter(policy('ip'), { ...options, penalty: {} })
    expect((await byAddress.peek(view({ ip: '2001:db8:7:2222::2' }))).limit).toBe(5)
    expect((await new PenaltyManager({ store }).getPenalty({ apiKey: 'sk_live' })).isActive).toBe(false)
  })

  it('a request and its identity share one quota, with the same secret and ipv6Prefix', async () => {
    const { limiter, store } = world(Date.now())
    const options = { secret: 'a secret of some length', ipv6Prefix: 48 }
    const quota = { name: 'q', limit: 10, period: 'yearly', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
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

describe('an id', () => {
  /** Ids that an attacker would choose to be counted as another client, a route, an address or a digest. */
  const HOSTILE = [
    '42',
    '#42',
    '42 ',
    `42+ip:${CLIENT}`,
    `ip:${CLIENT}`,
    '+ip:',
    'user:42',
    'shared',
    'p:t',
    '42 p:t',
    '42@GET:/things',
    '__proto__',
    LONG,
  ]
  const anId = fc.oneof(
    fc.constantFrom(...HOSTILE),
    fc.string({
      unit: fc.constantFrom('4', '2', ' ', '#', '+', 'i', 'p', ':', '@', '.', '{', '}'),
      maxLength: 12,
    }),
  )
  const policies: Policy[] = [
    { name: 'p', limit: 10, window: 60, keyStrategy: 'user', onMissingKey: 'deny' },
    { name: 'pair', limit: 10, window: 60, keyStrategy: 'composite' },
    { name: 'extracted', limit: 10, window: 60, keyExtractor: ({ user }) => user.id },
  ] as Policy<{ user: { id: string } }>[] as Policy[]

  it('an id names its own counters, and never another client’s', async () => {
    await fc.assert(
      fc.asyncProperty(anId, anId, async (a, b) => {
        fc.pre(a.trim() !== '' && b.trim() !== '' && a !== b)
        const { limiter } = world()
        const one = limiter(policies)
        const left = async (target: Parameters<typeof one.peek>[0]): Promise<number[]> =>
          (await one.peek(target)).verdicts.map(({ remaining }) => remaining)
        await one.check(by(a), { cost: 3 })
        expect(await left(by(b))).toEqual([10, 10, 10])
        expect(await left({ user: a })).toEqual([7])
        expect(await left({ user: a, ip: CLIENT })).toEqual([7])
        expect(await left({ custom: a })).toEqual([7])
        for (const other of [{ user: b }, { user: b, ip: CLIENT }, { custom: b }])
          expect(await left(other)).toEqual([10])
        expect(await one.reset({ user: b })).toBe(0)
        expect(await one.reset({ user: a })).toBe(1)
      }),
      { numRuns: 300 },
    )
  })

  it('an id is shown as its digest if it starts with "#" or contains "+ip:"', async () => {
    const limiter = world().limiter(policies)
    for (const id of ['#42', `42+ip:${CLIENT}`])
      expect((await limiter.check(by(id))).verdicts.map(({ key }) => key)).toEqual([
        `user:#${limiter.digestOf({ user: id })}`,
        `user:#${limiter.digestOf({ user: id })}+ip:${CLIENT}`,
        `custom:#${limiter.digestOf({ custom: id })}`,
      ])
  })

  it('a digest in a key names the same counters as the id, and no id does', async () => {
    const limiter = world().limiter([
      ...policies,
      { name: 'key', limit: 10, window: 60, keyStrategy: 'api-key' },
    ])
    const id = `42+ip:${CLIENT}`
    await limiter.check(by(id, { headers: { 'x-api-key': 'sk_1' } }), { cost: 3 })
    const digest = limiter.digestOf({ user: id }) as string
    const apiKey = { digest: limiter.digestOf({ apiKey: 'sk_1' }) as string }
    const left = async (target: Identity): Promise<number | undefined> =>
      (await limiter.peek(target)).remaining
    expect(await left({ apiKey })).toBe(7)
    for (const target of [{ user: { digest } }, { user: { digest }, ip: CLIENT }, { custom: { digest } }])
      expect([target, await left(target)]).toEqual([target, 7])
    expect(await left({ user: `#${digest}` })).toBe(10)
    expect(await limiter.reset({ apiKey })).toBe(1)
    for (const wrong of [{ digest: '#' }, { digest, more: 1 }, {}])
      expect((await rejection(limiter.consume({ user: wrong } as never))).code).toBe('HALT_E_IDENTITY')
  })
})
