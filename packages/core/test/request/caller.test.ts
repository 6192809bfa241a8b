import { describe, expect, it } from 'vitest'

import type { Decision, Policy, RequestView } from '../../src/index.ts'
import { admitted, by, CLIENT, keyed, type Options, times, view, world } from '../world.ts'

/** The key that a request is counted under. */
async function keyOf(
  keyStrategy: Policy['keyStrategy'],
  request: RequestView,
  options?: Options,
): Promise<string> {
  const policy = { name: 'p', limit: 2, window: 60, keyStrategy, exemptPrivateIps: false } as Policy
  return (await world().limiter(policy, options).check(request)).key
}

describe('the address of a caller', () => {
  it.each([
    ['203.0.113.7', 'ip:203.0.113.7'],
    ['::ffff:203.0.113.7', 'ip:203.0.113.7'],
    ['::FFFF:CB00:7107', 'ip:203.0.113.7'],
    ['2001:db8:1:2fff:3::4', 'ip:2001:db8:1:2f00::/56'],
    ['fe80::1%eth0', 'ip:fe80::/56'],
    ['010.0.0.1', 'ip:unknown'],
    ['127.1', 'ip:unknown'],
    ['0x7f.1', 'ip:unknown'],
    [undefined, 'ip:unknown'],
  ])('a socket at %s has the key %s', async (ip, key) => {
    expect(await keyOf('ip', view({ ip }))).toBe(key)
  })

  it('two IPv4 clients on a dual-stack socket have different counters', async () => {
    const limiter = world().limiter({ name: 'p', limit: 5, window: 60 })
    expect(await admitted(9, limiter, view({ ip: '::ffff:203.0.113.7' }))).toBe(5)
    expect(await admitted(9, limiter, view({ ip: '::ffff:203.0.113.8' }))).toBe(5)
  })

  it('all addresses of a /56, or of ipv6Prefix, have one counter', async () => {
    const limiter = world().limiter({ name: 'p', limit: 5, window: 60 })
    let passed = 0
    for (let i = 0; i < 256; i++)
      passed += await admitted(
        1,
        limiter,
        view({ ip: `2001:db8:0:7${i.toString(16).padStart(2, '0')}::${i}` }),
      )
    expect(passed).toBe(5)
    expect(await keyOf('ip', view({ ip: '2001:db8:1:2fff::1' }), { ipv6Prefix: 64 })).toBe(
      'ip:2001:db8:1:2fff::/64',
    )
    expect(await keyOf('ip', view({ ip: '2001:db8::1' }), { ipv6Prefix: 128 })).toBe('ip:2001:db8::1/128')
  })

  it('the client is the nearest hop that is not a trusted proxy', async () => {
    const trusting: Options = { trustedProxies: ['10.0.0.0/8'] }
    const proxied = (xff: string): RequestView =>
      view({ ip: '10.0.0.1', headers: { 'x-forwarded-for': xff } })
    expect(await keyOf('ip', proxied('1.2.3.4, 198.51.100.2, 10.1.1.1'), trusting)).toBe('ip:198.51.100.2')
    expect(await keyOf('ip', proxied('127.0.0.1'), trusting)).toBe('ip:127.0.0.1')
    expect(await keyOf('ip', proxied('198.51.100.2'))).toBe('ip:10.0.0.1')
    const cloud = view({
      ip: '10.0.0.1',
      headers: { 'cf-connecting-ip': '198.51.100.9', 'x-forwarded-for': '1.1.1.1' },
    })
    expect(await keyOf('ip', cloud, { ...trusting, clientIpHeader: 'CF-Connecting-IP' })).toBe(
      'ip:198.51.100.9',
    )
  })

  it('the address comes from clientIp before any header, and from the socket if clientIp returns undefined', async () => {
    const request = { edge: '198.51.100.5' }
    const clientIp = (given: unknown): string | undefined => (given as { edge?: string }).edge
    expect(await keyOf('ip', view({ request }), { clientIp })).toBe('ip:198.51.100.5')
    expect(await keyOf('ip', view(), { clientIp })).toBe(`ip:${CLIENT}`)
    expect(await keyOf('ip', view(), { clientIp: () => 'nonsense' })).toBe('ip:unknown')
  })

  it('the address comes from the call’s ip option', async () => {
    const limiter = world().limiter({ name: 'p', limit: 2, window: 60 })
    expect((await limiter.check(view(), { ip: '198.51.100.6' })).key).toBe('ip:198.51.100.6')
    expect((await limiter.check(view({ ip: '127.0.0.1' }), { ip: '127.0.0.1' })).reason).toBe('ok')
  })

  it('the address comes from the socket if clientIp fails, with one warning', async () => {
    const { limiter, warnings } = world()
    const broken = limiter(
      { name: 'p', limit: 5, window: 60 },
      {
        clientIp: () => {
          throw new Error('no edge')
        },
      },
    )
    expect((await times(3, broken)).map(({ key }) => key)).toEqual(Array(3).fill(`ip:${CLIENT}`))
    expect(warnings.map(({ code, message }) => [code, message])).toEqual([
      ['HALT_W_CALLBACK', expect.stringContaining('clientIp')],
    ])
  })

  it('a missing address is replaced by one shared key, with one warning', async () => {
    const { limiter, codes } = world()
    const one = limiter({ name: 'p', limit: 2, window: 60 })
    expect(await admitted(2, one, view({ ip: undefined }))).toBe(2)
    expect(await admitted(2, one, view({ ip: '/tmp/app.sock' }))).toBe(0)
    expect(codes()).toEqual(['HALT_W_NO_ADDRESS'])
  })
})

describe('a shared policy', () => {
  it('a shared policy has one counter for everybody', async () => {
    const limiter = world().limiter({ name: 'p', limit: 3, window: 60, keyStrategy: 'shared' })
    const decisions: Decision[] = []
    for (const request of [by(1), by(2), view({ ip: '198.51.100.1' }), keyed('k')])
      decisions.push(await limiter.check(request))
    expect(decisions.map(({ allowed, key }) => [allowed, key])).toEqual([
      [true, 'shared'],
      [true, 'shared'],
      [true, 'shared'],
      [false, 'shared'],
    ])
    expect((await limiter.consume({ user: '9' })).allowed).toBe(false)
  })
})

it('a client that changes or forges X-Forwarded-For keeps its counter', async () => {
  const { limiter } = world()
  const [untrusting, trusting] = [
    limiter({ name: 'a', limit: 5, window: 60 }),
    limiter({ name: 'b', limit: 5, window: 60 }, { trustedProxies: ['192.0.2.1'] }),
  ]
  let [passed, through] = [0, 0]
  for (let i = 0; i < 100; i++) {
    passed += await admitted(1, untrusting, view({ headers: { 'x-forwarded-for': `127.0.0.1, 1.2.3.${i}` } }))
    const headers = { 'x-forwarded-for': `127.0.0.${i}, 10.0.0.${i}, 198.51.100.7` }
    through += await admitted(1, trusting, view({ ip: '192.0.2.1', headers }))
  }
  expect([passed, through]).toEqual([5, 5])
})
