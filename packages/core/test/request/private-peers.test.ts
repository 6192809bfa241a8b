import { describe, expect, it } from 'vitest'

import { presets, type Policy, type RequestView } from '../../src/index.ts'
import { CLIENT, type Options, view, world, type World } from '../world.ts'

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
  ])('%s is not', async ip => {
    expect(await isExempt(view({ ip }))).toBe(false)
  })

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip'])(
    'are not exempt with %s, even an empty one: the peer is then a proxy',
    async name => {
      for (const value of ['198.51.100.1', '127.0.0.1', '']) {
        expect(await isExempt(view({ ip: '10.0.0.1', headers: { [name]: value } }))).toBe(false)
      }
    },
  )

  it('are never exempt by what a header says, from a trusted proxy or not', async () => {
    const forged = view({ ip: '198.51.100.1', headers: { 'x-forwarded-for': '10.0.0.1' } })
    expect(await isExempt(forged)).toBe(false)
    expect(await isExempt(forged, {}, { trustedProxies: ['198.51.100.1'] })).toBe(false)
    expect(await isExempt(view(), {}, { clientIp: () => '127.0.0.1' })).toBe(false)
    expect(await isExempt(view({ ip: '127.0.0.1' }), {}, { clientIp: () => '127.0.0.1' })).toBe(false)
  })

  it('warn when the first is exempted, unless the option was set by hand', async () => {
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

describe('a proxy that nobody trusts', () => {
  const proxied = view({ ip: '10.0.3.7', headers: { 'x-forwarded-for': '198.51.100.1' } })

  it.each([
    ['by default', {}, {}],
    ['with exemptPrivateIps: false', {}, { exemptPrivateIps: false }],
    ['on a policy that counts private addresses', { exemptPrivateIps: false }, {}],
  ] as const)(
    'is counted itself, with one warning that holds the line to paste, %s',
    async (_how, more, options) => {
      const { limiter, warnings } = world()
      const one = limiter({ ...plain, ...more }, options)
      for (let i = 0; i < 3; i++) expect((await one.check(proxied)).key).toBe('ip:10.0.3.7')
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
      expect(warnings[0]?.fix).toContain('trustedProxies: ["10.0.3.7"]')
    },
  )

  it('is warned of for the seed’s presets alike', async () => {
    const { limiter, codes } = world()
    await limiter(presets.AUTH_ENDPOINTS).check(proxied)
    expect(codes()).toEqual(['HALT_W_UNTRUSTED_PROXY'])
  })

  it('may be public, a CDN: one warning then too, and its line names it', async () => {
    const { limiter, warnings } = world()
    const one = limiter(plain)
    for (let i = 0; i < 100; i++) {
      const decision = await one.check(view({ headers: { 'x-forwarded-for': `198.51.100.${i}` } }))
      expect(decision.key).toBe(`ip:${CLIENT}`)
    }
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_UNTRUSTED_PROXY'])
    expect(warnings[0]?.fix).toContain(`trustedProxies: ["${CLIENT}"]`)
  })

  it('is none whose header names itself, as runtimes write it for their own getConnInfo', async () => {
    const { limiter, codes } = world()
    await limiter(plain).check(view({ headers: { 'cf-connecting-ip': CLIENT } }))
    expect(codes()).toEqual([])
  })

  it('is looked for in the first thousand requests only', async () => {
    const { limiter, codes } = world()
    const one = limiter({ ...plain, limit: 10_000 })
    for (let i = 0; i < 1000; i++) await one.check(view())
    await one.check(view({ headers: { 'x-forwarded-for': '198.51.100.1' } }))
    expect(codes()).toEqual([])
  })
})

describe('a private peer', () => {
  it.each(['via', 'x-forwarded-proto', 'x-forwarded-host', 'x-client-ip', 'x-forwarded'])(
    'that sends %s is a proxy, and is counted',
    async name => {
      const { limiter } = world()
      const decision = await limiter(plain).check(view({ ip: '10.0.3.7', headers: { [name]: 'x' } }))
      expect(decision).toMatchObject({ reason: 'ok', key: 'ip:10.0.3.7' })
    },
  )
})
