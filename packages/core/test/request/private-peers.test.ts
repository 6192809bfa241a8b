import { describe, expect, it } from 'vitest'

import { presets, type Policy, type RequestView } from '../../src/index.ts'
import { admitted, CLIENT, type Options, view, world, type World } from '../world.ts'

const plain: Policy = { name: 'p', limit: 5, window: 60 }
/** Whether a request is not counted. */
async function isExempt(
  request: RequestView,
  more: Partial<Policy> = {},
  options: Options = {},
  here: World = world(),
): Promise<boolean> {
  return (await here.limiter({ ...plain, ...more } as Policy, options).check(request)).reason === 'exempt'
}

describe('private addresses', () => {
  const PRIVATE = [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '::ffff:10.0.0.1',
  ]

  it.each(PRIVATE)('%s is exempt as a socket peer', async ip => {
    expect(await isExempt(view({ ip }))).toBe(true)
    expect(await isExempt(view({ ip }), {}, { exemptPrivateIps: false })).toBe(false)
    expect(await isExempt(view({ ip }), { exemptPrivateIps: false })).toBe(false)
    expect(await isExempt(view({ ip }), { exemptPrivateIps: true }, { exemptPrivateIps: false })).toBe(true)
  })

  it.each([
    '172.32.0.1',
    '11.0.0.1',
    '192.169.0.1',
    '169.254.0.1',
    '100.64.0.1',
    'fd00::1',
    'fe80::1',
    '::',
    '128.0.0.1',
  ])('%s is not exempt as a socket peer', async ip => {
    expect(await isExempt(view({ ip }))).toBe(false)
  })

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip'])(
    'a private peer is not exempt with an %s header, even an empty one, because it is a proxy',
    async name => {
      for (const value of ['198.51.100.1', '127.0.0.1', '']) {
        expect(await isExempt(view({ ip: '10.0.0.1', headers: { [name]: value } }))).toBe(false)
      }
    },
  )

  it('a private address is never exempt if it comes from a header, from a trusted proxy or not', async () => {
    const forged = view({ ip: '198.51.100.1', headers: { 'x-forwarded-for': '10.0.0.1' } })
    expect(await isExempt(forged)).toBe(false)
    expect(await isExempt(forged, {}, { trustedProxies: ['198.51.100.1'] })).toBe(false)
    expect(await isExempt(view(), {}, { clientIp: () => '127.0.0.1' })).toBe(false)
    expect(await isExempt(view({ ip: '127.0.0.1' }), {}, { clientIp: () => '127.0.0.1' })).toBe(false)
  })

  it('a private address causes a warning at the first exemption, unless the option was set', async () => {
    const [silent, loud, byPolicy] = [world(), world(), world()]
    await isExempt(view({ ip: '10.0.0.1' }), {}, { exemptPrivateIps: true }, silent)
    await isExempt(view({ ip: '10.0.0.1' }), { exemptPrivateIps: true }, {}, byPolicy)
    expect([...silent.codes(), ...byPolicy.codes()]).toEqual([])
    const limiter = loud.limiter(plain)
    for (let i = 0; i < 3; i++) await limiter.check(view({ ip: '10.0.0.1' }))
    expect(loud.codes()).toEqual(['HALT_W_PRIVATE_EXEMPT'])
    expect(loud.warnings[0]?.message).toContain('10.0.0.1')
    expect(loud.warnings[0]?.fix).toContain('exemptPrivateIps: false')
  })
})

describe('an untrusted proxy', () => {
  const proxied = view({ ip: '10.0.3.7', headers: { 'x-forwarded-for': '198.51.100.1' } })

  it.each([
    ['by default', {}, {}],
    ['with exemptPrivateIps: false', {}, { exemptPrivateIps: false }],
    ['on a policy that counts private addresses', { exemptPrivateIps: false }, {}],
  ] as const)(
    'an untrusted proxy is counted as the client, with one warning that has the line to paste, %s',
    async (_how, more, options) => {
      const { limiter, warnings } = world()
      const one = limiter({ ...plain, ...more }, options)
      for (let i = 0; i < 3; i++) expect((await one.check(proxied)).key).toBe('ip:10.0.3.7')
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      expect(warnings[0]?.fix).toContain('trustedProxies: ["10.0.3.7"]')
    },
  )

  it('an untrusted proxy causes the warning with the presets too', async () => {
    const { limiter, codes } = world()
    await limiter(presets.AUTH_ENDPOINTS).check(proxied)
    expect(codes()).toEqual(['HALT_W_UNTRUSTED_PROXY'])
  })

  it('an untrusted proxy that is public, such as a CDN, causes one warning with its address', async () => {
    const { limiter, warnings } = world()
    const one = limiter(plain)
    for (let i = 0; i < 100; i++) {
      const decision = await one.check(view({ headers: { 'x-forwarded-for': `198.51.100.${i}` } }))
      expect(decision.key).toBe(`ip:${CLIENT}`)
    }
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
    expect(warnings[0]?.fix).toContain(`trustedProxies: ["${CLIENT}"]`)
  })

  it('a peer whose header names the peer itself, as some runtimes write it, causes no warning', async () => {
    const { limiter, codes } = world()
    await limiter(plain).check(view({ headers: { 'cf-connecting-ip': CLIENT } }))
    expect(codes()).toEqual([])
  })

  it('an untrusted proxy is looked for in the first 1000 requests only', async () => {
    const { limiter, codes } = world()
    const one = limiter({ ...plain, limit: 10_000 })
    for (let i = 0; i < 1000; i++) await one.check(view())
    await one.check(view({ headers: { 'x-forwarded-for': '198.51.100.1' } }))
    expect(codes()).toEqual([])
  })
})

describe('a private peer', () => {
  const SIGNS = `
    via x-client-ip x-forwarded x-forwarded-proto x-forwarded-host x-forwarded-scheme x-forwarded-ssl x-forwarded-anything
    x-scheme cdn-loop cf-ray x-amzn-trace-id proxy-client-ip wl-proxy-client-ip x-envoy-attempt-count x-envoy-anything
  `
  it.each(SIGNS.trim().split(/\s+/))(
    'a private peer that sends %s is a proxy, so it is counted and named in the warning',
    async name => {
      const { limiter, warnings } = world()
      const one = limiter(plain)
      const headers = { [name]: 'x' }
      const decision = await one.check(view({ ip: '10.0.3.7', headers }))
      expect(decision).toMatchObject({ reason: 'ok', key: 'ip:10.0.3.7' })
      expect((await one.check(view({ ip: '10.0.3.8', headers: new Headers(headers) }))).reason).toBe('ok')
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      expect(warnings[0]?.fix).toContain('trustedProxies: ["10.0.3.7"]')
    },
  )

  it('a private peer that sends the clientIpHeader is a proxy, even if the headers cannot be listed', async () => {
    const only = { get: (name: string) => (name === 'x-mine' ? '198.51.100.1' : null) }
    for (const headers of [only, { 'x-mine': '198.51.100.1' }, { 'X-Mine': '198.51.100.1' }]) {
      const request = view({ ip: '10.0.3.7', headers })
      expect(await isExempt(request, {}, { clientIpHeader: 'X-Mine' })).toBe(false)
      expect(await isExempt(request)).toBe(true)
    }
  })

  it('a private peer that sends only headers of internal services is exempt', async () => {
    const headers = {
      accept: '*/*',
      authorization: 'Bearer x',
      'content-type': 'application/json',
      host: 'api:3000',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      'user-agent': 'node',
      'x-request-id': '1',
    }
    expect(await isExempt(view({ ip: '10.0.3.7', headers, httpVersion: '1.1' }))).toBe(true)
    expect(await isExempt(view({ ip: '10.0.3.7', headers, httpVersion: '2.0' }))).toBe(true)
  })

  it('a private peer that speaks HTTP/1.0 is a proxy, so it is counted, and the warning has the line to paste', async () => {
    for (const options of [{}, { exemptPrivateIps: false }, { exemptPrivateIps: true }]) {
      const { limiter, warnings } = world()
      const decision = await limiter(plain, options).check(view({ ip: '10.0.3.7', httpVersion: '1.0' }))
      expect(decision).toMatchObject({ reason: 'ok', key: 'ip:10.0.3.7' })
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      expect(warnings[0]?.message).toContain('10.0.3.7 speaks HTTP/1.0, as proxies do')
      expect(warnings[0]?.fix).toContain('trustedProxies: ["10.0.3.7"]')
    }
  })

  it('a private peer that once forwarded stays a proxy if a client makes it drop its headers', async () => {
    const { limiter } = world()
    const one = limiter(plain)
    await one.check(view({ ip: '10.0.3.7', headers: { 'x-forwarded-for': '198.51.100.1' } }))
    const bare = view({ ip: '10.0.3.7' })
    expect(await one.check(bare)).toMatchObject({ reason: 'ok', key: 'ip:10.0.3.7', remaining: 3 })
    expect(String(await one.explain(bare))).not.toContain('not counted')
    expect((await one.check(view({ ip: '10.0.3.8' }))).reason).toBe('exempt')
  })

  it('a check recognises a private peer as a proxy, and a peek does not', async () => {
    const { limiter } = world()
    const one = limiter(plain)
    const forwarding = view({ ip: '10.0.3.7', headers: { via: 'x' } })
    await one.explain(forwarding)
    await one.peek(forwarding)
    expect((await one.check(view({ ip: '10.0.3.7' }))).reason).toBe('exempt')
  })
})

describe('a public peer', () => {
  it('a public peer that speaks HTTP/1.0 or sends "via" causes no warning, because it may be a client', async () => {
    const { limiter, codes } = world()
    await limiter(plain).check(view({ httpVersion: '1.0', headers: { via: 'x' } }))
    expect(codes()).toEqual([])
  })
})

describe('a trusted proxy', () => {
  it.each<[string, Options['trustedProxies']]>([
    ['an address', ['10.0.3.7']],
    ['a network', ['private']],
    ['a function', address => address === '10.0.3.7'],
  ])('a trusted proxy that names no client is never exempt, trusted by %s', async (_how, trustedProxies) => {
    const { limiter, codes } = world()
    const one = limiter({ ...plain, limit: 1 }, { trustedProxies })
    const statuses = new Set<boolean>()
    for (let i = 0; i < 10; i++) {
      const { allowed, key } = await one.check(view({ ip: '10.0.3.7', headers: { host: 'x' } }))
      expect(key).toBe('ip:10.0.3.7')
      if (i > 0) statuses.add(allowed)
    }
    expect([...statuses]).toEqual([false])
    expect(codes()).not.toContain('HALT_W_UNTRUSTED_PROXY')
  })

  it('a trusted proxy is not exempt if it names a private client or an invalid address', async () => {
    const trust = { trustedProxies: ['10.0.3.7'], exemptPrivateIps: true }
    for (const named of ['192.168.1.1', 'unknown', '_hidden', '', '010.0.0.1', ',,', '10.0.3.7']) {
      const request = view({ ip: '10.0.3.7', headers: { 'x-forwarded-for': named } })
      expect(await isExempt(request, {}, trust), named).toBe(false)
    }
  })
})

it('clients behind a proxy with a private address are limited, whether the proxy is trusted or not', async () => {
  const behind = (client: number) =>
    view({ ip: '10.0.0.1', headers: { 'x-forwarded-for': `198.51.100.${client}` } })
  const { limiter } = world()
  expect(await admitted(50, limiter({ name: 'a', limit: 5, window: 60 }), behind(1))).toBe(5)
  const trusting = limiter({ name: 'b', limit: 5, window: 60 }, { trustedProxies: ['10.0.0.0/8'] })
  for (const client of [1, 2, 3]) expect(await admitted(50, trusting, behind(client))).toBe(5)
})
