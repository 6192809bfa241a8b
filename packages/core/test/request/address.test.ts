import { isIP } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, it } from 'vitest'
import { type Address, isPrivate, parseAddress } from '../../src/request/address.ts'

const text = (spelling: string): string | undefined => parseAddress(spelling)?.text
const must = (spelling: string): Address => {
  const address = parseAddress(spelling)
  if (address === undefined) throw new Error(`${spelling} is not an address`)
  return address
}

const words = (text: string): string[] => text.trim().split(/\s+/)

/** 32 random bits. */
const word = fc.nat({ max: 0xffff_ffff })
const quad = word.map(bits => [24, 16, 8, 0].map(shift => (bits >>> shift) & 255).join('.'))
/** Eight groups with many zeros, so that runs of zeros occur in every position. */
const groups = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 0xffff })), { minLength: 8, maxLength: 8 })

/** A random spelling of eight groups: case, leading zeros, `::` for any run of zeros, a dotted tail. */
const spelled = fc
  .tuple(groups, fc.boolean(), fc.boolean(), fc.boolean(), fc.nat({ max: 7 }), fc.nat({ max: 7 }))
  .map(([parts, upper, padded, dotted, from, length]) => {
    const pieces = parts.map(part => part.toString(16).padStart(padded ? 4 : 1, '0'))
    if (dotted) {
      const [high = 0, low = 0] = parts.slice(6)
      pieces.splice(6, 2, [high >> 8, high & 255, low >> 8, low & 255].join('.'))
    }
    const end = Math.min(from + length, dotted ? 6 : 8)
    const run = end > from && parts.slice(from, end).every(part => part === 0)
    const joined = run
      ? `${pieces.slice(0, from).join(':')}::${pieces.slice(end).join(':')}`
      : pieces.join(':')
    return { parts, spelling: upper ? joined.toUpperCase() : joined }
  })

const bitsOf = (parts: readonly number[]): number[] =>
  [0, 2, 4, 6].map(i => ((parts[i] ?? 0) << 16) | (parts[i + 1] ?? 0))
const isMapped = (parts: readonly number[]): boolean =>
  parts.slice(0, 5).every(part => part === 0) && parts[5] === 0xffff

describe('parseAddress', () => {
  it.each([
    '203.0.113.7',
    ' 203.0.113.7\t',
    '"203.0.113.7"',
    '203.0.113.7:50123',
    '"203.0.113.7:50123"',
    '203.0.113.7:_hidden',
    '::ffff:203.0.113.7',
    '::FFFF:203.0.113.7',
    '::ffff:cb00:7107',
    '0:0:0:0:0:ffff:cb00:7107',
    '0000:0000:0000:0000:0000:FFFF:203.0.113.7',
    '[::ffff:203.0.113.7]:443',
    '::ffff:203.0.113.7%eth0',
  ])('parseAddress reads %s as 203.0.113.7', spelling => {
    expect(must(spelling)).toMatchObject({ text: '203.0.113.7', version: 4 })
  })

  it.each([
    '2001:db8::1',
    '2001:DB8::1',
    '2001:0db8:0:0:0:0:0:1',
    '2001:db8:0:0::0:1',
    '2001:db8::0.0.0.1',
    '[2001:db8::1]',
    '[2001:db8::1]:443',
    '"[2001:db8::1]:443"',
    '[2001:db8::1]:_gazonk',
    '2001:db8::1%eth0',
    '[2001:db8::1%eth0]:443',
    '2001:db8::1%25br-lan.1',
  ])('parseAddress reads %s as 2001:db8::1', spelling => {
    expect(must(spelling)).toMatchObject({ text: '2001:db8::1', version: 6 })
  })

  it.each([
    '010.0.0.1', // octal for some readers, decimal for others
    '00.0.0.1',
    '127.1',
    '0x7f.1',
    '0x7f.0.0.1',
    '2130706433',
    '::ffff:010.0.0.1',
    '::0x7f.0.0.1',
  ])('parseAddress rejects the ambiguous text %s', spelling => {
    expect(parseAddress(spelling)).toBeUndefined()
  })

  it.each([
    '',
    ' ',
    'unknown',
    '_hidden',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.4.',
    '-1.2.3.4',
    '+1.2.3.4',
    '1.2.3.4/32',
    '1.2.3.4:',
    '1.2.3.4:123456',
    '1.2.3.4:80:80',
    '1.2.3.4%eth0',
    '[1.2.3.4]',
    '1.2.3 .4',
    '1.2.3.4 5.6.7.8',
    '1.2.3.4,5.6.7.8',
    '"1.2.3.4',
    '1.2.3.4"',
    '""',
    '[]',
    '[::1',
    '::1]',
    '[::1]443',
    '[[::1]]',
    '::1%',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '00001::',
    '::g',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::1/128',
    '١.٢.٣.٤', // digits, but not ASCII ones
    '1.2.3.4\n',
    '1.2.3.4\0',
    '::ffff:1.2.3.4\u2028',
  ])('parseAddress rejects %j', spelling => {
    expect(parseAddress(spelling)).toBeUndefined()
  })

  it('parseAddress rejects a text that is too long, before it reads it', () => {
    expect(parseAddress(`${' '.repeat(70)}1.2.3.4`)?.text).toBe('1.2.3.4')
    expect(parseAddress(`${' '.repeat(74)}1.2.3.4`)).toBeUndefined()
    expect(parseAddress(`::1%${'a'.repeat(1e6)}`)).toBeUndefined()
  })

  it('parseAddress returns undefined for a value that is not a string', () => {
    for (const value of [undefined, null, 2130706433, {}, ['1.2.3.4']]) {
      expect(parseAddress(value as string)).toBeUndefined()
    }
  })

  it('parseAddress reads an address that only looks mapped as IPv6 (express-rate-limit PR 667)', () => {
    expect(text('2001:db8::1.2.3.4')).toBe('2001:db8::102:304')
    expect(text('64:ff9b::1.2.3.4')).toBe('64:ff9b::102:304')
    expect(text('::1.2.3.4')).toBe('::102:304')
    expect(text('::ffff:0:1.2.3.4')).toBe('::ffff:0:102:304')
    expect(text('::fffe:1.2.3.4')).toBe('::fffe:102:304')
    expect(text('1::ffff:1.2.3.4')).toBe('1::ffff:102:304')
  })

  it('parseAddress reads a mapped address in any notation as IPv4 (express-rate-limit PR 667)', () => {
    expect(must('::ffff:102:304')).toEqual(must('1.2.3.4'))
    expect(must('::ffff:0:0')).toEqual(must('0.0.0.0'))
  })

  it('the text of an address is RFC 5952: lower case, no leading zeros, the first longest run of zeros', () => {
    expect(text('2001:0DB8:0000:0001:0001:0001:0001:0001')).toBe('2001:db8:0:1:1:1:1:1')
    expect(text('2001:0:0:1:0:0:0:1')).toBe('2001:0:0:1::1')
    expect(text('2001:db8:0:0:1:0:0:1')).toBe('2001:db8::1:0:0:1')
    expect(text('0:0:0:0:0:0:0:0')).toBe('::')
    expect(text('1:0:0:0:0:0:0:0')).toBe('1::')
  })

  it('parseAddress reads every spelling of every IPv6 address into its bits, and mapped ones into IPv4', () => {
    fc.assert(
      fc.property(spelled, ({ parts, spelling }) => {
        const address = must(spelling)
        if (isMapped(parts)) expect(address).toEqual(must(ipaddr.process(spelling).toString()))
        else expect([address.version, ...address.bits]).toEqual([6, ...bitsOf(parts)])
      }),
      { numRuns: 2000 },
    )
  })

  it('parseAddress reads mapped spellings of every IPv4 address as that address', () => {
    fc.assert(
      fc.property(quad, dotted => {
        const [high = 0, low = 0] = new ipaddr.IPv6(
          ipaddr.parse(`::ffff:${dotted}`).toByteArray(),
        ).parts.slice(6)
        const hex = `${high.toString(16)}:${low.toString(16)}`
        for (const spelling of [`::ffff:${dotted}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`]) {
          expect(must(spelling)).toEqual(must(dotted))
        }
        expect(text(dotted)).toBe(dotted)
      }),
    )
  })

  it('the text of an IPv6 address is that of the URL standard', () => {
    fc.assert(
      fc.property(spelled, ({ parts, spelling }) => {
        fc.pre(!isMapped(parts))
        expect(`[${must(spelling).text}]`).toBe(new URL(`http://[${spelling}]/`).hostname)
      }),
      { numRuns: 2000 },
    )
  })

  it('parseAddress accepts exactly the undecorated texts that node:net accepts', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'0123456789abfF:.x'.split('')), maxLength: 24 })
    const honest = fc.oneof(
      quad,
      spelled.map(({ spelling }) => spelling),
    )
    // One character of an address removed, doubled or replaced.
    const nearly = fc
      .tuple(honest, fc.nat({ max: 44 }), fc.constantFrom('', '0', ':', '.', '::', 'f', '00', '1.2'))
      .map(([address, at, by]) => address.slice(0, at) + by + address.slice(at + 1))
    fc.assert(
      fc.property(fc.oneof(noise, honest, nearly), spelling => {
        // 1.2.3.4:80 is the only text with a port that looks undecorated.
        fc.pre(!/^[\d.]+:\d+$/.test(spelling))
        expect(parseAddress(spelling) !== undefined).toBe(isIP(spelling) !== 0)
      }),
      { numRuns: 10_000 },
    )
  })

  it('parseAddress never throws, and reads its own text again', () => {
    const odd = fc.string({
      unit: fc.constantFrom(...'0123456789abcdef:.%[]"/_- \t\n\0é'.split('')),
      maxLength: 90,
    })
    fc.assert(
      fc.property(fc.oneof(odd, fc.string()), spelling => {
        const address = parseAddress(spelling)
        if (address !== undefined) expect(must(address.text)).toEqual(address)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('isPrivate', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.255',
    '::1',
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
  ])('isPrivate holds for %s', spelling => expect(isPrivate(must(spelling))).toBe(true))

  it.each(['192.168.0.0', '192.168.255.255', '::ffff:10.1.2.3', '::ffff:7f00:1', '0:0:0:0:0:0:0:1'])(
    'isPrivate holds for %s',
    spelling => expect(isPrivate(must(spelling))).toBe(true),
  )

  it.each(
    words(`
      126.255.255.255 128.0.0.0 9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 0.0.0.0 192.167.255.255
      192.169.0.0 100.64.0.1 169.254.0.1 203.0.113.7 8.8.8.8 :: ::2 fc00::1 fd00::1 fe80::1 ::10.0.0.1
      64:ff9b::10.0.0.1 2001:db8::7f00:1 1::1
    `),
  )('isPrivate does not hold for %s', spelling => expect(isPrivate(must(spelling))).toBe(false))

  it('isPrivate agrees with ipaddr.js on every IPv4 address', () => {
    const nearby = fc
      .constantFrom('127', '10', '172', '192')
      .chain(first => quad.map(q => q.replace(/^\d+/, first)))
    fc.assert(
      fc.property(fc.oneof(quad, nearby), dotted => {
        const range = ipaddr.IPv4.parse(dotted).range()
        expect(isPrivate(must(dotted))).toBe(range === 'private' || range === 'loopback')
      }),
      { numRuns: 2000 },
    )
  })
})
