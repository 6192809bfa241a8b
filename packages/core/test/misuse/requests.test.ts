import { afterEach, describe, expect, it } from 'vitest'

import {
  addressKey,
  type RateLimiter,
  RateLimiter as Limiter,
  type RequestView,
  silence,
} from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { world } from '../world.ts'

const view = (i = 0, fields: Partial<RequestView> = {}): RequestView => ({
  method: 'GET',
  path: `/items/${i}`,
  ip: `203.0.${i >> 8}.${i & 255}`,
  headers: {},
  request: { i },
  ...fields,
})

const extracting = (keyExtractor: (request: { i: number }) => unknown): never =>
  ({ name: 'api', limit: 1e6, window: 1, keyExtractor }) as never

async function ask(limiter: RateLimiter, count: number, ip?: string): Promise<void> {
  for (let i = 0; i < count; i++) await limiter.check(view(i, ip === undefined ? {} : { ip }))
}

describe('a key extractor', () => {
  it('a key extractor that returns one key for all clients is warned of after a thousand requests', async () => {
    const { limiter, codes } = world()
    const constant = limiter(extracting(() => 'everybody'))
    await ask(constant, 999)
    expect(codes()).toEqual([])
    await ask(constant, 1)
    expect(codes()).toEqual(['HALT_W_KEY_CONSTANT'])
  })

  it('a key extractor that returns a new key for each request is warned of', async () => {
    const { limiter, codes } = world()
    await ask(limiter(extracting(({ i }) => `${Date.now()} ${i}`)), 1000, '203.0.113.7')
    expect(codes()).toEqual(['HALT_W_KEY_UNBOUNDED'])
  })

  it.each<[string, (request: { i: number }) => unknown, string | undefined]>([
    ['of a few customers', ({ i }) => `customer-${i % 7}`, undefined],
    ['of one customer at one place', () => 'the only one', '203.0.113.7'],
    ['of a thousand clients at their own addresses', ({ i }) => `device-${i}`, undefined],
    ['of nobody', () => undefined, undefined],
  ])('a key extractor gives no warning for keys %s', async (_, keyExtractor, ip) => {
    const { limiter, codes } = world()
    await ask(limiter(extracting(keyExtractor)), 1500, ip)
    expect(codes().filter(code => code !== 'HALT_W_KEY_NEVER_FOUND')).toEqual([])
  })

  it('a key extractor that returns IPv6 addresses unchanged is warned of once', async () => {
    const { limiter, warnings } = world()
    const perAddress = limiter(extracting(({ i }) => (i < 3 ? `203.0.113.${i}` : `2001:db8::${i}`)))
    await ask(perAddress, 3)
    expect(warnings).toEqual([])
    await ask(perAddress, 10)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_KEY_IPV6'])
    expect(warnings[0]?.fix).toContain('addressKey(ip)')
  })

  it.each<[string, (request: { i: number }) => string]>([
    ['IPv4 addresses', ({ i }) => `203.0.113.${i}`],
    ['IPv4 addresses, mapped into IPv6 by the socket', ({ i }) => `::ffff:203.0.113.${i}`],
    ['what addressKey makes of IPv6 addresses', ({ i }) => addressKey(`2001:db8:${i}::1`) ?? ''],
    ['ids with colons', ({ i }) => `tenant:${i}:user`],
  ])('a key extractor that returns %s gives no warning', async (_, keyExtractor) => {
    const { limiter, codes } = world()
    await ask(limiter(extracting(keyExtractor)), 20)
    expect(codes()).toEqual([])
  })

  const forwarded = { ip: '::ffff:10.0.3.7', headers: { 'x-forwarded-for': '203.0.113.7' } }
  const behind = { trustedProxies: ['10.0.3.0/24', '::1', '2001:db8::9'] }

  it.each<[string, Partial<RequestView>, (ip: string) => string]>([
    ['as the framework gives it', forwarded, ip => ip],
    ['with a user', forwarded, ip => `login:${addressKey(ip)}:bob`],
    ['over IPv6', { ...forwarded, ip: '2001:db8::9' }, ip => `${addressKey(ip)}:bob`],
    ['over the loopback of IPv6', { ...forwarded, ip: '::1' }, ip => `${ip}:bob`],
  ])('a key extractor that returns the proxy’s address is warned of: %s', async (_, fields, keyOf) => {
    const { limiter, warnings } = world()
    const own = limiter(
      extracting(() => keyOf(fields.ip ?? '')),
      behind,
    )
    await own.check(view(0, fields))
    const warned = warnings.filter(({ code }) => code === 'HALT_W_KEY_PROXY')
    expect(warned).toHaveLength(1)
    expect(warned[0]?.fix).toContain('keyStrategy: "composite"')
  })

  it.each<[string, Partial<RequestView>, string]>([
    ['the address of the client', forwarded, '203.0.113.7:bob'],
    ['the addresses of both', forwarded, '10.0.3.7+203.0.113.7'],
    ['an address that only begins like that of the proxy', forwarded, '10.0.3.71:bob'],
    ['an address that only ends like that of the proxy', forwarded, '110.0.3.7'],
    ['a user', forwarded, 'bob'],
    ['the address of a proxy that asks by itself', { ip: '10.0.3.7' }, '10.0.3.7:bob'],
    ['the address of a peer that is not trusted', { ...forwarded, ip: '198.51.100.1' }, '198.51.100.1'],
  ])('a key extractor that returns %s is not warned of a proxy', async (_, fields, key) => {
    const { limiter, codes } = world()
    const own = limiter(
      extracting(() => key),
      behind,
    )
    await own.check(view(0, fields))
    expect(codes()).not.toContain('HALT_W_KEY_PROXY')
  })

  it('a key extractor that returns a forwarding header unchanged is warned of at its first request', async () => {
    const { limiter, warnings } = world()
    const spoofable = limiter({
      name: 'api',
      limit: 5,
      window: 1,
      keyExtractor: request => (request as RequestView).headers['x-forwarded-for' as never],
    })
    const headers = { 'x-forwarded-for': '198.51.100.9' }
    await spoofable.check(view(0, { headers, request: { headers } }))
    const warned = warnings.find(({ code }) => code === 'HALT_W_SPOOFABLE_HEADER')
    expect(warned?.message).toContain('x-forwarded-for')
  })
})

describe('unverified API keys', () => {
  const policy = { name: 'keys', limit: 5, window: 1, keyStrategy: 'api-key' } as const
  const headers = { 'x-api-key': 'a key' }

  it('an unverified API key is warned of', async () => {
    const { limiter, codes } = world()
    await limiter(policy).check(view(0, { headers }))
    expect(codes()).toEqual(['HALT_W_UNVERIFIED_API_KEY'])
  })

  it('an API key gives no warning once the app verifies it, and neither does a request without one', async () => {
    const { limiter, codes } = world()
    await limiter(policy, { apiKey: () => 'a key' }).check(view(0, { headers }))
    await limiter(policy).check(view())
    expect(codes()).toEqual([])
  })
})

describe('a limiter that exempts every request', () => {
  it('a limiter that exempts every request is warned of after a thousand, with the reason', async () => {
    const { limiter, warnings } = world()
    const exempting = limiter({ name: 'api', limit: 5, window: 1, exemptions: ['/items'] })
    await ask(exempting, 999)
    expect(warnings).toEqual([])
    await ask(exempting, 1)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_ALL_EXEMPT'])
    expect(warnings[0]?.message).toContain('the path is under "/items"')
  })

  it('a limiter gives no warning once it counted a single request', async () => {
    const { limiter, codes } = world()
    const most = limiter({ name: 'api', limit: 5, window: 1, exemptions: ['/items'] })
    await most.check(view(0, { path: '/' }))
    await ask(most, 2000)
    expect(codes()).toEqual([])
  })
})

describe('a limiter that is mounted twice on a request', () => {
  it('a limiter that is mounted twice on a request charges it once, and warns', async () => {
    const { limiter, codes } = world()
    const own = limiter({ name: 'api', limit: 5, window: 1 })
    const [first, second] = [guard(own), guard(own)]
    const visitor = {}
    await first.enter(view(), visitor)
    expect((await second.enter(view(), visitor)).decision?.remaining).toBe(4)
    expect(codes()).toEqual(['HALT_W_LIMITER_TWICE'])
  })

  it('a limiter that is mounted twice gives no warning when the second mount costs more', async () => {
    const { limiter, codes } = world()
    const own = limiter({ name: 'api', limit: 5, window: 1 })
    const visitor = {}
    await guard(own).enter(view(), visitor)
    expect((await guard(own, { cost: 3 }).enter(view(), visitor)).decision?.remaining).toBe(2)
    expect(codes()).toEqual([])
  })
})

describe('silence', () => {
  const silenced = Symbol.for('halt.warnings.silenced')
  afterEach(() => (globalThis as { [silenced]?: Set<string> })[silenced]?.clear())

  it('silence suppresses a code for every receiver, and no other code', async () => {
    silence('HALT_W_UNVERIFIED_API_KEY')
    const { store, codes, warnings } = world()
    const policy = { name: 'keys', limit: 5, window: 1, keyStrategy: 'api-key' } as const
    const warn = (warning: (typeof warnings)[number]): void => void warnings.push(warning)
    const limiter = new Limiter({ store, policy, warn, clientIpHeader: 'x-real-ip' })
    await limiter.check(view(0, { headers: { 'x-api-key': 'a key' } }))
    expect(codes()).toEqual(['HALT_W_SPOOFABLE_HEADER'])
  })
})
