import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import type { HaltError } from '../../src/base/errors.ts'
import { type Address, parseAddress } from '../../src/request/address.ts'
import { CLOUDFLARE_DATE, CLOUDFLARE_RANGES, parseNetworks } from '../../src/request/networks.ts'

const words = (text: string): string[] => text.trim().split(/\s+/)
const CODE = 'HALT_E_TRUSTED_PROXIES'
const must = (spelling: string): Address => {
  const address = parseAddress(spelling)
  if (address === undefined) throw new Error(`${spelling} is not an address`)
  return address
}
const holds = (list: readonly string[], address: string): boolean =>
  parseNetworks(list, CODE).contains(must(address))
const refusal = (list: unknown): HaltError => {
  try {
    parseNetworks(list as string[], CODE)
  } catch (error) {
    return error as HaltError
  }
  throw new Error(`${JSON.stringify(list)} was accepted`)
}

describe('parseNetworks', () => {
  it('parseNetworks matches by bits, not by the start of the text', () => {
    expect(holds(['10.0.0.0/8'], '10.1.2.3')).toBe(true)
    expect(holds(['192.0.2.0/24'], '192.0.23.7')).toBe(false)
    expect(holds(['10.0.0.0/30'], '10.0.0.3')).toBe(true)
    expect(holds(['10.0.0.0/30'], '10.0.0.4')).toBe(false)
    expect(holds(['2001:db8::/32'], '2001:db8:ffff::1')).toBe(true)
    expect(holds(['2001:db8::/32'], '2001:db9::')).toBe(false)
  })

  it('parseNetworks reads an address as a network of one address', () => {
    expect(holds(['192.0.2.7'], '192.0.2.7')).toBe(true)
    expect(holds(['192.0.2.7'], '192.0.2.8')).toBe(false)
    expect(holds(['2001:db8::1'], '2001:DB8:0::1')).toBe(true)
    expect(holds(['2001:db8::1'], '2001:db8::2')).toBe(false)
  })

  it('parseNetworks never finds an IPv4 address in an IPv6 network, nor the reverse', () => {
    expect(holds(['::/1'], '10.0.0.1')).toBe(false)
    expect(holds(['a00::/8'], '10.0.0.1')).toBe(false)
    expect(holds(['10.0.0.0/8'], 'a00::1')).toBe(false)
    expect(holds(['::/96'], '0.0.0.1')).toBe(false)
  })

  it('parseNetworks reads a mapped network as the IPv4 network it is', () => {
    expect(holds(['::ffff:10.0.0.0/104'], '10.1.2.3')).toBe(true)
    expect(holds(['::ffff:10.0.0.0/104'], '::ffff:a01:203')).toBe(true)
    expect(holds(['::ffff:a00:0/104'], '11.0.0.1')).toBe(false)
    expect(holds(['::ffff:192.0.2.7'], '192.0.2.7')).toBe(true)
    expect(holds(['::ffff:192.0.2.7/128'], '192.0.2.8')).toBe(false)
  })

  it('parseNetworks refuses ::ffff:10.0.0.0/8, which proxy-addr read as all of IPv4 (CVE-2026-90711)', () => {
    const error = refusal(['::ffff:10.0.0.0/8'])
    expect(error.code).toBe(CODE)
    expect(error.fix).toContain('"10.0.0.0/8"')
    expect(refusal(['::ffff:10.0.0.0/95']).code).toBe(CODE)
  })

  it.each(['0.0.0.0/0', '::/0', '::ffff:0:0/96', '::ffff:0.0.0.0/96', '10.0.0.0/0'])(
    'parseNetworks refuses %s, which contains every address',
    cidr => {
      expect(refusal([cidr])).toMatchObject({
        code: CODE,
        message: expect.stringContaining('every address') as string,
      })
    },
  )

  it('parseNetworks refuses bits after the prefix, and suggests the network and the address', () => {
    const error = refusal(['10.0.0.5/8'])
    expect(error.code).toBe(CODE)
    expect(error.fix).toContain('"10.0.0.0/8"')
    expect(error.fix).toContain('"10.0.0.5"')
    expect(refusal(['2001:db8::1/32']).fix).toContain('"2001:db8::/32"')
    expect(refusal(['::ffff:10.0.0.5/104']).fix).toContain('"10.0.0.0/8"')
  })

  it.each([
    '',
    ' ',
    '10.0.0.0/ 8',
    ...words(`
    / /8 10/8 10.0.0.0/ 10.0.0.0/33 10.0.0.0/-1 10.0.0.0/08 10.0.0.0/8.0 10.0.0.0/1e1 10.0.0.0/8/8
    10.0.0.0/255.0.0.0 2001:db8::/129 ::ffff:1.2.3.4/129 010.0.0.0/8 127.1 0x7f.1 2130706433 2 * 10.*
    10.0.0.0-10.0.0.9 localhost 1.2.3.4:80 [::1] "1.2.3.4" fe80::1%eth0 10.0.0.0/8,192.0.2.7 Loopback
    constructor /x
  `),
  ])('parseNetworks refuses %j', entry => {
    expect(refusal([entry])).toMatchObject({
      code: CODE,
      fix: expect.stringContaining('"10.0.0.0/8"') as string,
    })
  })

  it.each([1, true, false, null, undefined, {}, ['10.0.0.0/8'], Number.NaN])(
    'parseNetworks refuses a list that holds %j',
    entry => {
      expect(refusal(['10.0.0.0/8', entry]).code).toBe(CODE)
    },
  )

  it.each([1, 0, true, false, null, {}, 'loopback'])('parseNetworks refuses %j in place of a list', list => {
    expect(refusal(list)).toMatchObject({
      code: CODE,
      fix: expect.stringContaining('Write trustedProxies: [') as string,
    })
  })

  it('parseNetworks suggests the list to paste in place of a text', () => {
    expect(refusal('10.0.0.0/8, loopback').fix).toContain('trustedProxies: ["10.0.0.0/8","loopback"]')
  })

  it('parseNetworks uses the error code and the option name of its caller', () => {
    expect(() => parseNetworks(['10/8'], 'HALT_E_EXEMPTION', 'exemptions')).toThrow(
      expect.objectContaining({
        code: 'HALT_E_EXEMPTION',
        message: expect.stringContaining('in exemptions') as string,
      }),
    )
  })

  it('parseNetworks ignores spaces around an entry, as "a, b".split(",") leaves them', () => {
    expect(holds([' 10.0.0.0/8 '], '10.0.0.1')).toBe(true)
  })

  it('parseNetworks reads the names of networks', () => {
    const names: [string, string[], string[]][] = [
      ['loopback', ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['128.0.0.1', '::2', '10.0.0.1']],
      ['linklocal', ['169.254.1.1', 'fe80::1', 'febf::1'], ['169.255.0.0', 'fec0::1', '127.0.0.1']],
      [
        'private',
        ['10.0.0.1', '172.31.0.1', '192.168.0.1', '127.0.0.1', '::1'],
        ['100.64.0.1', 'fd00::1', 'fe80::1'],
      ],
      [
        'cloudflare',
        ['173.245.48.1', '104.27.255.255', '2606:4700::1', '2a06:98c7::'],
        ['104.28.0.0', '1.1.1.1'],
      ],
    ]
    for (const [name, inside, outside] of names) {
      for (const address of inside) expect(holds([name], address), `${address} in ${name}`).toBe(true)
      for (const address of outside) expect(holds([name], address), `${address} in ${name}`).toBe(false)
    }
  })

  it('an empty list contains no address', () => {
    expect(holds([], '127.0.0.1')).toBe(false)
  })

  it('parseNetworks agrees with ipaddr.js on random networks and addresses', () => {
    const bytes = (length: number): fc.Arbitrary<number[]> =>
      fc.array(fc.nat({ max: 255 }), { minLength: length, maxLength: length })
    fc.assert(
      fc.property(
        fc
          .constantFrom(4, 16)
          .chain(length => fc.tuple(bytes(length), fc.integer({ min: 1, max: length * 8 }))),
        fc.array(fc.nat({ max: 127 }), { maxLength: 3 }),
        ([raw, prefix], flips) => {
          const address = ipaddr.fromByteArray(raw)
          const family = raw.length === 4 ? ipaddr.IPv4 : ipaddr.IPv6
          const network = family.networkAddressFromCIDR(`${address.toString()}/${prefix}`)
          // An address near the network, with a few bits flipped.
          for (const flip of flips) {
            const at = flip % (raw.length * 8)
            raw[at >> 3] = (raw[at >> 3] ?? 0) ^ (1 << (at & 7))
          }
          const other = ipaddr.fromByteArray(raw)
          expect(holds([`${network.toString()}/${prefix}`], other.toString())).toBe(
            other.match([network, prefix]),
          )
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('the Cloudflare list', () => {
  it('the Cloudflare list has 15 IPv4 and 7 IPv6 networks, all valid, and a date', () => {
    expect(CLOUDFLARE_RANGES.filter(range => range.includes('.'))).toHaveLength(15)
    expect(CLOUDFLARE_RANGES.filter(range => range.includes(':'))).toHaveLength(7)
    expect(() => parseNetworks(CLOUDFLARE_RANGES, CODE)).not.toThrow()
    expect(CLOUDFLARE_DATE).toMatch(/^\d{4}-\d\d-\d\d$/)
  })
})
