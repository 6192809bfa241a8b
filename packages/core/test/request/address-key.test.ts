import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'

import { addressKey, type RequestView } from '../../src/index.ts'
import { type Address, networkOf, parseAddress, maskAddress } from '../../src/request/address.ts'
import { view, world } from '../world.ts'

const must = (spelling: string): Address => {
  const address = parseAddress(spelling)
  if (address === undefined) throw new Error(`${spelling} is not an address`)
  return address
}
const group = fc.nat({ max: 0xffff })
/** Eight groups with many zeros, so that runs of zeros occur in every position. */
const groups = fc.array(fc.oneof(fc.constant(0), group), { minLength: 8, maxLength: 8 })
const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))

/** The names in ipaddr.js of the ranges whose addresses hold an IPv4 address, except for 64:ff9b:1::/48. */
const EMBEDDING = new Set(['ipv4Mapped', 'rfc6145', 'rfc6052', '6to4', 'teredo'])

const hex = (high: number, low: number): string => ((high << 8) | low).toString(16)
const not = (octet: number): number => 255 - octet

/** Every way to embed an IPv4 address in an IPv6 address. `any` are groups that the client may choose. */
const embeddings: Record<string, (quad: number[], any: number[]) => string> = {
  mapped: ([a = 0, b = 0, c = 0, d = 0]) => `::ffff:${hex(a, b)}:${hex(c, d)}`,
  SIIT: ([a = 0, b = 0, c = 0, d = 0]) => `::ffff:0:${hex(a, b)}:${hex(c, d)}`,
  NAT64: ([a = 0, b = 0, c = 0, d = 0]) => `64:ff9b::${hex(a, b)}:${hex(c, d)}`,
  '6to4': ([a = 0, b = 0, c = 0, d = 0], any) =>
    `2002:${hex(a, b)}:${hex(c, d)}:${any
      .slice(0, 5)
      .map(part => part.toString(16))
      .join(':')}`,
  Teredo: ([a = 0, b = 0, c = 0, d = 0], any) =>
    `2001:0:${any
      .slice(0, 4)
      .map(part => part.toString(16))
      .join(':')}:${hex(not(a), not(b))}:${hex(not(c), not(d))}`,
}

describe('maskAddress', () => {
  it('maskAddress counts IPv4 as it is and IPv6 by its network', () => {
    expect(maskAddress(must('203.0.113.7'), 56)).toBe('203.0.113.7')
    expect(maskAddress(must('2001:db8::1'), 56)).toBe('2001:db8::/56')
    expect(maskAddress(must('2001:db8:0:1ff::1'), 56)).toBe('2001:db8:0:100::/56')
    expect(maskAddress(must('2001:db8::1'), 128)).toBe('2001:db8::1/128')
  })

  it('maskAddress keeps two IPv4 clients of a dual-stack socket apart (CVE-2026-30827)', () => {
    expect(maskAddress(must('::ffff:203.0.113.7'), 56)).toBe('203.0.113.7')
    expect(maskAddress(must('::ffff:203.0.113.8'), 56)).toBe('203.0.113.8')
    expect(maskAddress(must('::ffff:cb00:7107'), 56)).toBe('203.0.113.7')
  })

  it('a client cannot choose its key by the low 32 bits of 2001:db8::1.2.3.4', () => {
    expect(maskAddress(must('2001:db8::1.2.3.4'), 56)).toBe(maskAddress(must('2001:db8::4.3.2.1'), 56))
  })

  it('maskAddress gives one key to a hundred addresses of a /64, and to the 256 /64s of a /56', () => {
    const keys = new Set<string>()
    for (let i = 0; i < 256; i++) {
      keys.add(maskAddress(must(`2001:db8:0:${i.toString(16)}::${i.toString(16)}`), 56))
      keys.add(maskAddress(must(`2001:db8::${i.toString(16)}:${(i * 7).toString(16)}`), 56))
    }
    expect([...keys]).toEqual(['2001:db8::/56'])
  })

  it('maskAddress agrees with ipaddr.js on the network of every address and prefix', () => {
    fc.assert(
      fc.property(groups, fc.integer({ min: 1, max: 128 }), (parts, prefix) => {
        const spelling = parts.map(part => part.toString(16)).join(':')
        fc.pre(!EMBEDDING.has(ipaddr.parse(spelling).range()) && parts.slice(0, 6).some(Boolean))
        const network = ipaddr.IPv6.networkAddressFromCIDR(`${spelling}/${prefix}`).toRFC5952String()
        expect(maskAddress(must(spelling), prefix)).toBe(`${network}/${prefix}`)
        expect(networkOf(must(spelling), prefix).text).toBe(network)
      }),
    )
  })

  it('maskAddress counts a compatible address by its IPv4 address, and :: and ::1 by their network', () => {
    expect(maskAddress(must('::203.0.113.7'), 56)).toBe('203.0.113.7')
    expect(maskAddress(must('::1:0'), 56)).toBe('0.1.0.0')
    expect(['::', '::1', '::ffff'].map(text => maskAddress(must(text), 56))).toEqual(Array(3).fill('::/56'))
    expect(maskAddress(must('::1:203.0.113.7'), 56)).toBe('::/56')
  })

  it('maskAddress counts 64:ff9b:1::/48 by all bits, because each of its addresses is one IPv4 client', () => {
    expect(maskAddress(must('64:ff9b:1::203.0.113.7'), 56)).toBe('64:ff9b:1::cb00:7107/128')
    expect(maskAddress(must('64:ff9b:1:ffff::203.0.113.7'), 56)).toBe('64:ff9b:1:ffff::cb00:7107/128')
    expect(maskAddress(must('64:ff9b:2::203.0.113.7'), 56)).toBe('64:ff9b:2::/56')
    expect(maskAddress(must('64:ff9b:0:1::203.0.113.7'), 56)).toBe('64:ff9b::/56')
  })
})

describe.each(Object.entries(embeddings))('an IPv4 address embedded by %s', (_name, embed) => {
  it('an embedded IPv4 address is the key, independent of the other bits and the prefix', () => {
    fc.assert(
      fc.property(octets, groups, fc.integer({ min: 32, max: 128 }), (quad, any, ipv6Prefix) => {
        expect(addressKey(embed(quad, any), { ipv6Prefix })).toBe(quad.join('.'))
      }),
    )
  })

  it('embedded IPv4 addresses make different keys for two clients', () => {
    fc.assert(
      fc.property(octets, octets, groups, (one, other, any) => {
        const same = one.join('.') === other.join('.')
        expect(addressKey(embed(one, any)) === addressKey(embed(other, any))).toBe(same)
      }),
    )
  })
})

describe('an IPv6 address that embeds an IPv4 address', () => {
  const policy = { name: 'p', limit: 5, window: 60 }

  it('an IPv6 address that embeds an IPv4 address shares its counter, for requests and identities', async () => {
    const limiter = world().limiter(policy)
    const ask = async (ip: string): Promise<unknown> => {
      const { key, remaining } = await limiter.check(view({ ip }))
      return [key, remaining]
    }
    expect(await ask('64:ff9b::203.0.113.7')).toEqual(['ip:203.0.113.7', 4])
    expect(await ask('::ffff:0:203.0.113.7')).toEqual(['ip:203.0.113.7', 3])
    expect(await ask('203.0.113.7')).toEqual(['ip:203.0.113.7', 2])
    expect(await ask('64:ff9b::203.0.113.8')).toEqual(['ip:203.0.113.8', 4])
    expect((await limiter.peek({ ip: '64:ff9b::cb00:7107' })).remaining).toBe(2)
  })

  it.each(['64:ff9b::10.0.0.1', '::ffff:0:10.0.0.1', '2002:a00:1::1', '2001:0:1:1:1:1:f5ff:fffe'])(
    'an IPv6 address that embeds an IPv4 address is neither private, nor exempt, nor trusted for that: %s',
    async ip => {
      const { limiter } = world()
      const headers: RequestView['headers'] = { 'x-forwarded-for': '198.51.100.1' }
      const options = { trustedProxies: ['10.0.0.1'], exemptPrivateIps: true }
      const one = limiter({ ...policy, exemptions: ['10.0.0.0/8'] }, options)
      expect(await one.check(view({ ip }))).toMatchObject({ reason: 'ok', key: 'ip:10.0.0.1' })
      expect(await one.check(view({ ip, headers }))).toMatchObject({ reason: 'ok', key: 'ip:10.0.0.1' })
    },
  )
})

describe('addressKey', () => {
  it('addressKey makes the same key as the limiter', async () => {
    const { limiter } = world()
    const addresses = ['203.0.113.7', '::ffff:203.0.113.7', '2001:db8:1:2ab::1', '[2001:db8::1%eth0]:443']
    for (const ip of addresses) {
      const { key } = await limiter({ name: `of-${addresses.indexOf(ip)}`, limit: 5, window: 60 }).check(
        view({ ip }),
      )
      expect(`ip:${addressKey(ip)}`).toBe(key)
    }
    expect(addressKey('2001:db8:1:2ab::1')).toBe('2001:db8:1:200::/56')
    expect(addressKey('2001:db8:1:2ab::1', { ipv6Prefix: 64 })).toBe('2001:db8:1:2ab::/64')
  })

  it.each([undefined, null, '', 'unknown', '010.0.0.1', '127.1', '2001:db8::/56', 5, {}])(
    'addressKey has no key for %j',
    ip => expect(addressKey(ip as string)).toBeUndefined(),
  )

  it.each([0, 31, 129, 56.5, '56'])('addressKey refuses the prefix %j', ipv6Prefix => {
    const call = (): unknown => addressKey('::1', { ipv6Prefix: ipv6Prefix as number })
    expect(call).toThrow(expect.objectContaining({ code: 'HALT_E_OPTION' }))
  })
})
