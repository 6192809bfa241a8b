import { describe, expect, it } from 'vitest'

import { type Identity, type Policy, type Quota } from '../../src/index.ts'
import { by, CLIENT, keyed, rejection, START, times, view, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 2, window: 60, algorithm: 'fixed-window' }
const pair: Policy = { ...fixed, name: 'pair', keyStrategy: 'composite' }
const user: Policy = { ...fixed, name: 'user', limit: 100, keyStrategy: 'user' }

describe('a peek at an identity', () => {
  it('a peek does not show a counter that counts the customer under another identity', async () => {
    const limiter = world().limiter([fixed, pair])
    expect((await times(3, limiter, by('42'))).at(-1)?.allowed).toBe(false)
    const error = await rejection(limiter.peek({ user: '42' }))
    expect(error.code).toBe('HALT_E_IDENTITY_KIND')
    expect(error.summary).toBe(
      'No policy counts requests by { user }: "p" is reached by { ip }, "pair" is reached by { user, ip } or { apiKey, ip }.',
    )
    const explanation = await limiter.explain({ user: '42' })
    expect(explanation).toMatchObject({ decision: undefined, policies: [] })
    expect(explanation.unreachable).toEqual([
      { policy: 'p', reachedBy: '{ ip }' },
      { policy: 'pair', reachedBy: '{ user, ip } or { apiKey, ip }' },
    ])
    expect(String(explanation)).toBe(
      [
        'Not known: no policy counts requests by { user }',
        '  p: not reachable by { user }; reached by { ip }',
        '  pair: not reachable by { user }; reached by { user, ip } or { apiKey, ip }',
      ].join('\n'),
    )
    expect((await rejection(limiter.inspect({ user: '42' }))).code).toBe('HALT_E_IDENTITY_KIND')
  })

  it('a peek shows the policies that its identity reaches, and lists the others', async () => {
    const limiter = world().limiter([user, fixed, pair])
    await times(3, limiter, by('42'))
    const decision = await limiter.peek({ user: '42' })
    expect(decision.verdicts.map(({ policy, remaining }) => [policy, remaining])).toEqual([['user', 98]])
    expect(decision.unreachable.map(({ policy }) => policy)).toEqual(['p', 'pair'])
    expect(Object.keys(decision)).not.toContain('unreachable')
    expect(JSON.stringify(decision)).not.toContain('reach')
    const text = String(await limiter.explain({ user: '42' }))
    expect(text).toContain('Allowed by what { user } reaches: ok (user)')
    expect(text).toContain('  p: not reachable by { user }; reached by { ip }')
    expect((await limiter.peek(by('42'))).unreachable).toEqual([])
  })

  it.each<[string, Partial<Policy>, Identity, ReturnType<typeof view>]>([
    ['a user at an address', { keyStrategy: 'composite' }, { user: '42', ip: CLIENT }, by('42')],
    [
      'a key at an address',
      { keyStrategy: 'composite' },
      { apiKey: 'sk_live', ip: CLIENT },
      keyed('sk_live'),
    ],
    ['an address without a user', { keyStrategy: 'composite' }, { ip: CLIENT }, view()],
    ['an address that is counted for want of a user', { keyStrategy: 'user' }, { ip: CLIENT }, view()],
    ['a user', { keyStrategy: 'user' }, { user: '42' }, by('42')],
    ['everybody', { keyStrategy: 'shared' }, { user: '42' }, view()],
    ['an extracted key', { keyExtractor: () => 'acme' }, { custom: 'acme' }, view()],
  ])('a peek reaches %s on the counter that counts the request', async (_who, changes, identity, request) => {
    const limiter = world().limiter({ ...fixed, ...changes } as Policy)
    await times(3, limiter, request)
    const decision = await limiter.peek(identity)
    expect(decision).toMatchObject({ allowed: false, remaining: 0 })
    expect(decision.key).toBe((await limiter.peek(request)).key)
  })

  it.each<[string, Partial<Policy>, Identity, string]>([
    ['a user', { keyStrategy: 'user' }, { custom: '42' }, ''],
    ['a user', { keyStrategy: 'user' }, { apiKey: '42' }, '{ user }'],
    ['a user, never an address', { keyStrategy: 'user', onMissingKey: 'deny' }, { ip: CLIENT }, '{ user }'],
    ['a composite', { keyStrategy: 'composite' }, { user: '42' }, '{ user, ip } or { apiKey, ip }'],
    ['an extracted key', { keyExtractor: () => 'acme' }, { user: 'acme' }, '{ custom }'],
    ['a route', { scope: 'route' }, { ip: CLIENT }, 'a request of { ip }'],
    ['everybody on a route', { scope: 'route', keyStrategy: 'shared' }, { ip: CLIENT }, 'a request'],
  ])('a peek does not reach %s under another kind of identity', async (_what, changes, identity, instead) => {
    const limiter = world().limiter({ ...fixed, ...changes } as Policy)
    const { unreachable } = await limiter.explain(identity)
    expect(unreachable).toEqual(instead === '' ? [] : [{ policy: 'p', reachedBy: instead }])
  })

  it('a peek shows the counters that consume charged, whatever identities the requests are counted by', async () => {
    const limiter = world().limiter([fixed, user])
    // Without a key extractor, only consume uses custom names.
    expect((await limiter.peek('job')).verdicts).toHaveLength(2)
    await limiter.consume({ user: '42' })
    const decision = await limiter.peek({ user: '42' })
    expect(decision.verdicts.map(({ policy, remaining }) => [policy, remaining])).toEqual([
      ['p', 1],
      ['user', 99],
    ])
    expect(decision.unreachable).toEqual([{ policy: 'p', reachedBy: '{ ip }' }])
  })

  it('a peek names the address ceiling that may refuse an unverified key', async () => {
    const byKey: Policy = { ...fixed, keyStrategy: 'api-key' }
    const { limiter } = world()
    const one = limiter(byKey, { keysPerAddress: 1 })
    for (const key of ['a', 'b', 'c']) await one.check(keyed(key))
    const decision = await one.peek({ apiKey: 'd' })
    expect(decision.unreachable).toEqual([
      { policy: 'p', reachedBy: '{ ip } for the ceiling that all unverified keys of an address share' },
    ])
    const verified = limiter({ ...byKey, name: 'v' }, { apiKey: () => 'd' })
    expect((await verified.peek({ apiKey: 'd' })).unreachable).toEqual([])
  })
})

describe('inspect', () => {
  it('inspect reads every counter of a request, and charges nothing', async () => {
    const { limiter } = world()
    const quota: Quota = { name: 'month', limit: 10, period: 'monthly' }
    const one = limiter([{ ...fixed, blockDuration: 600 }, { ...user, algorithm: 'token-bucket' }, quota])
    await times(3, one, by('42'))
    const now = START / 1000
    const counters = await one.inspect(by('42'))
    expect(counters).toEqual([
      {
        policy: 'p',
        counter: 'own',
        name: 'p:f',
        key: `ip:${CLIENT}`,
        limit: 2,
        used: 2,
        held: 0,
        remaining: 0,
        resetAt: now + 600,
        blockedUntil: now + 600,
        lastCharge: { from: START * 1000, to: START * 1000, isOwn: undefined },
        control: [],
      },
      {
        policy: 'user',
        counter: 'own',
        name: 'user:t',
        key: 'user:42',
        limit: 100,
        used: 2,
        held: 0,
        remaining: 98,
        resetAt: now + 2,
        blockedUntil: 0,
        lastCharge: { from: START * 1000, to: START * 1000, isOwn: true },
        control: [],
      },
      expect.objectContaining({ policy: 'month', key: 'user:42', used: 2, remaining: 8 }),
    ])
    expect(await one.inspect(by('42'))).toEqual(counters)
    expect(await one.inspect(view({ path: '/health' }))).toEqual([])
  })

  it('inspect shows overdrawn counters, requests in flight, and address ceilings', async () => {
    const { limiter } = world()
    const held = limiter({ ...user, inFlight: 3 })
    const decision = await held.check(by('42'))
    expect((await held.inspect({ user: '42' })).map(({ counter, used }) => [counter, used])).toEqual([
      ['own', 0],
      ['in-flight', 1],
    ])
    await held.settle(decision, 150)
    await held.release(decision)
    expect((await held.inspect({ user: '42' }))[0]).toMatchObject({ used: 150, remaining: 0 })
    const keys = limiter({ ...fixed, name: 'k', keyStrategy: 'api-key' })
    await keys.check(keyed('sk_live'))
    const counters = await keys.inspect(keyed('sk_live'))
    expect(counters.map(({ counter, limit, used }) => [counter, limit, used])).toEqual([
      ['own', 2, 1],
      ['address', 20, 1],
    ])
  })
})

describe('digestOf', () => {
  it('digestOf returns the digest that replaces a secret or a long id in a key', async () => {
    const limiter = world().limiter([fixed, pair], { secret: 'a secret of some length' })
    const shown = async (identity: Identity): Promise<string> => (await limiter.consume(identity)).key
    expect(await shown({ apiKey: 'sk_live' })).toBe(`api-key:#${limiter.digestOf({ apiKey: 'sk_live' })}`)
    const long = 'x'.repeat(200)
    expect(await shown({ user: long })).toBe(`user:#${limiter.digestOf({ user: long })}`)
    expect(await shown({ user: '#42', ip: CLIENT })).toBe(
      `user:#${limiter.digestOf({ user: '#42', ip: CLIENT })}+ip:${CLIENT}`,
    )
    expect(limiter.digestOf('1+ip:203.0.113.7')).toMatch(/^[\w-]{22}$/)
    for (const plain of [{ user: '42' }, { ip: CLIENT }, { custom: '4#2' }])
      expect(limiter.digestOf(plain)).toBeUndefined()
  })
})
