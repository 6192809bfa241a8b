import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HaltError } from '../../src/base/errors.ts'
import { parseAddress } from '../../src/request/address.ts'
import { type ClientIpOptions, compileClientIp } from '../../src/request/client-ip.ts'
import type { TrustedProxies } from '../../src/request/trusted-proxies.ts'

type Headers = Record<string, string | readonly string[]>

const resolve = (options: ClientIpOptions, peer: string | undefined, headers: Headers = {}) => {
  const clientIp = compileClientIp(options)
  return { ...clientIp.resolve({ ip: peer, headers }), forwarded: clientIp.namesAnother(headers, peer) }
}
const client = (
  options: ClientIpOptions,
  peer: string | undefined,
  headers: Headers = {},
): string | undefined => resolve(options, peer, headers).address?.text
const refusal = (options: unknown): HaltError => {
  try {
    compileClientIp(options as ClientIpOptions)
  } catch (error) {
    return error as HaltError
  }
  throw new Error('accepted')
}

const words = (text: string): string[] => text.trim().split(/\s+/)

const LB = '10.0.0.1'
const TRUST: ClientIpOptions = { trustedProxies: ['10.0.0.0/8', 'fd00::/8'] }
/** The client behind the load balancer, found by X-Forwarded-For. */
const behind = (xff: string | readonly string[], options = TRUST): string | undefined =>
  client(options, LB, { 'x-forwarded-for': xff })

describe('an address that the platform tells', () => {
  const from = (view: { ip?: string; clientIp?: string }, options: ClientIpOptions = {}) => {
    const clientIp = compileClientIp(options)
    const sender = { ip: undefined, headers: {}, ...view }
    return { client: clientIp.resolve(sender), hops: clientIp.walk(sender) }
  }

  it('the address that the platform tells is the client where there is no socket', () => {
    const { client: found, hops } = from({ clientIp: '203.0.113.7' })
    expect(found.address?.text).toBe('203.0.113.7')
    expect(hops).toMatchObject([{ address: '203.0.113.7', why: expect.stringContaining('platform') }])
  })

  it('the address that the platform tells is never an untrusted peer, so a private one is not exempt', () => {
    expect(from({ clientIp: '10.0.0.9' }).client).toMatchObject({ trusted: true })
  })

  it('the address that the platform tells is not read where there is a socket', () => {
    expect(from({ ip: '198.51.100.1', clientIp: '203.0.113.7' }).client.address?.text).toBe('198.51.100.1')
  })

  it.each(['', 'unknown', '203.0.113.7, 203.0.113.8', '010.0.0.1'])(
    'the platform tells no address by "%s"',
    text => {
      expect(from({ clientIp: text }).client.address).toBe(undefined)
    },
  )
})

describe('by default', () => {
  it('a limiter trusts no proxy by default, so a rotated X-Forwarded-For changes nothing', () => {
    const seen = new Set<string | undefined>()
    for (let i = 0; i < 100; i++)
      seen.add(client({}, '203.0.113.7', { 'x-forwarded-for': `198.51.100.${i}` }))
    expect([...seen]).toEqual(['203.0.113.7'])
  })

  it('a limiter reports every forwarding header by default, even an empty one', () => {
    expect(resolve({}, '203.0.113.7')).toMatchObject({ forwarded: false, trusted: false })
    const all =
      'x-forwarded-for forwarded x-real-ip cf-connecting-ip true-client-ip fly-client-ip fastly-client-ip x-cluster-client-ip ' +
      'x-original-forwarded-for x-envoy-external-address x-azure-clientip x-appengine-user-ip do-connecting-ip'
    for (const name of all.split(' ')) {
      expect(resolve({}, '203.0.113.7', { [name]: '' }).forwarded, name).toBe(true)
      expect(resolve(TRUST, LB, { [name]: '1.1.1.1' }).forwarded, name).toBe(true)
    }
    expect(resolve({ clientIpHeader: 'X-Mine' }, '203.0.113.7', { 'x-mine': 'x' }).forwarded).toBe(true)
    expect(resolve({}, '203.0.113.7', { 'x-mine': 'x', 'user-agent': 'x' }).forwarded).toBe(false)
  })

  it('a limiter reads all spellings of a dual-stack socket as one address', () => {
    expect(client({}, '::ffff:203.0.113.7')).toBe('203.0.113.7')
    expect(client({}, '::ffff:203.0.113.8')).toBe('203.0.113.8')
    expect(client({}, 'fe80::1%eth0')).toBe('fe80::1')
  })

  it('a request has no address if its socket has none', () => {
    for (const peer of [undefined, '', '/run/app.sock', 'unix:', '@']) {
      const key = { subject: 'ip:unknown', how: 'the client address', unverified: false }
      const nobody = { address: undefined, key, isPrivate: false, trusted: false }
      expect(resolve({}, peer)).toEqual({ ...nobody, forwarded: false })
      expect(resolve(TRUST, peer, { 'x-forwarded-for': '1.1.1.1' })).toEqual({ ...nobody, forwarded: true })
    }
  })

  it('a peer resolves to the same object from its second request on', () => {
    const finder = compileClientIp({})
    const [, second, third] = [1, 2, 3].map(() => finder.resolve({ ip: '203.0.113.177', headers: {} }))
    expect(third).toBe(second)
  })
})

describe('X-Forwarded-For from a trusted peer', () => {
  it('X-Forwarded-For from a trusted peer names the rightmost hop that is not trusted', () => {
    expect(behind('203.0.113.7')).toBe('203.0.113.7')
    expect(behind('203.0.113.7, 10.0.0.2, 10.0.0.3')).toBe('203.0.113.7')
    expect(behind('203.0.113.7,10.0.0.2')).toBe('203.0.113.7')
    expect(behind('2001:DB8::1, fd00::2')).toBe('2001:db8::1')
  })

  it('text that the client wrote to the left in X-Forwarded-For is ignored', () => {
    for (const forged of [
      '127.0.0.1',
      '10.0.0.9',
      '10.9.9.9, 198.51.100.1',
      'unknown',
      '"',
      ',',
      ', ,',
      '\\',
      ';',
    ]) {
      expect(behind(`${forged}, 203.0.113.7`), forged).toBe('203.0.113.7')
      expect(behind(`${forged}, 203.0.113.7, 10.0.0.2`), forged).toBe('203.0.113.7')
    }
  })

  it('an absent or empty X-Forwarded-For leaves the peer as the client', () => {
    expect(resolve(TRUST, LB)).toMatchObject({ address: { text: LB }, forwarded: false, trusted: true })
    for (const empty of ['', ' ', ',', ' , ,', []]) expect(behind(empty)).toBe(LB)
  })

  it('X-Forwarded-For names the leftmost address if all of them are trusted', () => {
    expect(behind('10.0.0.4, 10.0.0.3, 10.0.0.2')).toBe('10.0.0.4')
  })

  it('X-Forwarded-For is read as one list over several lines', () => {
    expect(behind(['198.51.100.1', '203.0.113.7', '10.0.0.2'])).toBe('203.0.113.7')
    expect(behind(['203.0.113.7, 10.0.0.3', '10.0.0.2'])).toBe('203.0.113.7')
    expect(behind(['203.0.113.7', '', '10.0.0.2'])).toBe('203.0.113.7')
  })

  it('an empty entry of X-Forwarded-For is skipped', () => {
    expect(behind('203.0.113.7, , 10.0.0.2,,')).toBe('203.0.113.7')
    expect(behind(',,203.0.113.7,,')).toBe('203.0.113.7')
  })

  it('an entry that is not an address ends X-Forwarded-For, and the hop that wrote it is the client', () => {
    for (const odd of [
      'unknown',
      '_hidden',
      'garbage',
      '010.0.0.1',
      '127.1',
      '1.2.3.4/32',
      '10.0.0',
      '[::1',
      '-',
    ]) {
      expect(behind(`203.0.113.7, ${odd}, 10.0.0.2`), odd).toBe('10.0.0.2')
      expect(behind(odd), odd).toBe(LB)
    }
  })

  it('ports, brackets, quotes and zones are ignored, so that a new connection is not a new client', () => {
    const ipv4 = words(`
      203.0.113.7:50123 203.0.113.7:50124 "203.0.113.7" ::ffff:203.0.113.7 ::FFFF:cb00:7107
      0:0:0:0:0:ffff:203.0.113.7 [::ffff:cb00:7107]:443 "[::ffff:203.0.113.7]:443" 203.0.113.7
    `)
    for (const spelling of ipv4) {
      expect(behind(`${spelling}, 10.0.0.2`), spelling).toBe('203.0.113.7')
    }
    for (const spelling of [
      '2001:db8::1',
      '[2001:db8::1]:443',
      '2001:DB8:0::1',
      '2001:db8::1%eth0',
      '"[2001:db8::1]"',
    ]) {
      expect(behind(`${spelling}, 10.0.0.2`), spelling).toBe('2001:db8::1')
    }
  })

  it('a proxy is trusted by its address in any spelling', () => {
    expect(client(TRUST, '::ffff:a00:1', { 'x-forwarded-for': '203.0.113.7, ::ffff:10.0.0.2' })).toBe(
      '203.0.113.7',
    )
  })

  it('X-Forwarded-For is read for at most 32 hops', () => {
    const hops = (count: number): string => Array.from({ length: count }, () => '10.0.0.2').join(',')
    expect(behind(`203.0.113.7,${hops(31)}`)).toBe('203.0.113.7')
    expect(behind(`203.0.113.7,${hops(32)}`)).toBe('10.0.0.2')
    expect(behind(['203.0.113.7', ...hops(32).split(',')])).toBe('10.0.0.2')
    expect(behind(`203.0.113.7${','.repeat(40)}`)).toBe(LB)
  })

  it('X-Forwarded-For is read for at most 2 KiB, and never a part of an entry', () => {
    const tail = ',10.0.0.2'
    const pad = (length: number): string => ' '.repeat(length - tail.length)
    // A part of 211.2.3.4 would be another client's address.
    for (let cut = 1; cut <= 9; cut++) {
      expect(behind(`211.2.3.4${pad(2048 - 9 + cut)}${tail}`)).toBe('10.0.0.2')
    }
    expect(behind(`211.2.3.4${pad(2048 - 9)}${tail}`)).toBe('211.2.3.4')
    expect(behind(['211.2.3.4', `${pad(2048)}${tail}`])).toBe('10.0.0.2')
    expect(behind(['211.2.3.4', `${pad(2038)}${tail}`])).toBe('211.2.3.4')
    // The comma that joins two lines counts, too.
    expect(behind(['211.2.3.4', `${pad(2039)}${tail}`])).toBe('10.0.0.2')
  })

  it('a header of a hundred times the entries takes no longer to read', () => {
    const finder = compileClientIp(TRUST)
    // The fastest of many runs excludes other work of the machine.
    const time = (headers: Headers): number => {
      let best = Infinity
      for (let i = 0; i < 50; i++) {
        const start = performance.now()
        finder.resolve({ ip: LB, headers })
        best = Math.min(best, performance.now() - start)
      }
      return best
    }
    for (const entry of ['10.0.0.2', '"', '\\"', 'for="', '', '1.2.3.4', ' '.repeat(50)]) {
      const [few, many] = [100, 10_000].map(length => Array.from({ length }, () => entry))
      for (const name of ['x-forwarded-for', 'forwarded']) {
        for (const of of [(list: string[] = []) => list.join(','), (list: string[] = []) => list]) {
          const control = time({ [name]: of(few) })
          expect(time({ [name]: of(many) }), entry).toBeLessThan(20 * control + 0.5)
        }
      }
    }
  })

  it('X-Forwarded-For agrees with a simple reader of the rule, and walk() ends at the client of resolve()', () => {
    const hop = fc.constantFrom(
      '10.0.0.2',
      '10.0.0.3:80',
      'fd00::1',
      '203.0.113.7',
      '[2001:db8::1]:1',
      'unknown',
      '',
      ' ',
    )
    const finder = compileClientIp(TRUST)
    fc.assert(
      fc.property(fc.array(fc.array(hop, { minLength: 1, maxLength: 4 }), { maxLength: 5 }), lines => {
        const header = { 'x-forwarded-for': lines.map(line => line.join(', ')) }
        let expected = LB
        for (const entry of lines.flat().reverse()) {
          if (entry.trim() === '') continue
          const address = parseAddress(entry)
          if (address === undefined) break
          expected = address.text
          if (!/^(10\.|fd)/.test(expected)) break
        }
        expect(finder.resolve({ ip: LB, headers: header }).address?.text).toBe(expected)
        expect(finder.walk({ ip: LB, headers: header }).findLast(({ parsed }) => parsed)?.parsed?.text).toBe(
          expected,
        )
      }),
      { numRuns: 2000 },
    )
  })

  it('resolve never throws, and finds the same client for any text to the left of an untrusted hop', () => {
    const left = fc.string({ unit: fc.constantFrom(...'19.:,; "\\[]=for%é\0'.split('')), maxLength: 40 })
    fc.assert(
      fc.property(left, fc.constantFrom('x-forwarded-for', 'forwarded'), (forged, name) => {
        const options = { ...TRUST, clientIpHeader: name }
        const honest =
          name === 'forwarded' ? 'for=203.0.113.7, for="10.0.0.2:80"' : '203.0.113.7, 10.0.0.2:80'
        expect(client(options, LB, { [name]: `${forged}, ${honest}` })).toBe('203.0.113.7')
        expect(client(options, LB, { [name]: [forged, honest] })).toBe('203.0.113.7')
      }),
      { numRuns: 3000 },
    )
  })
})

describe('Forwarded (RFC 7239)', () => {
  const options: ClientIpOptions = { ...TRUST, clientIpHeader: 'Forwarded' }
  const forwarded = (value: string | readonly string[]): string | undefined =>
    client(options, LB, { forwarded: value })

  it.each([
    'for=203.0.113.7',
    'For=203.0.113.7',
    'for="203.0.113.7"',
    'for="203.0.113.7:4711"',
    'for=203.0.113.7:4711', // not a token, but sent by some
    'proto=https;for=203.0.113.7;by=10.0.0.1',
    'proto=https; for=203.0.113.7; host="a,b;c"',
    'for="::ffff:203.0.113.7"',
    'for="[::ffff:203.0.113.7]:80";',
    String.raw`for="203.0.\113.7"`,
    String.raw`host="a\"b, for=1.1.1.1";for=203.0.113.7`,
    String.raw`host="for=1.1.1.1, a\"b";for=203.0.113.7`,
    String.raw`for=198.51.100.1, host="a\\\\";for=203.0.113.7`,
    'for=198.51.100.1, for=203.0.113.7, for=10.0.0.2;proto=http',
    'for=198.51.100.1,for=203.0.113.7,,for="10.0.0.2:80"',
  ])('Forwarded (RFC 7239) is read from %s', value => expect(forwarded(value)).toBe('203.0.113.7'))

  it('Forwarded has an IPv6 address in its quotes and brackets', () => {
    expect(forwarded('for="[2001:db8::1]:4711"')).toBe('2001:db8::1')
    expect(forwarded('for="[2001:DB8::1]", for="[fd00::2]:_x"')).toBe('2001:db8::1')
  })

  it('Forwarded is read as one list over several lines', () => {
    expect(forwarded(['for=198.51.100.1', 'for=203.0.113.7', 'for=10.0.0.2'])).toBe('203.0.113.7')
  })

  it.each([
    'for=unknown',
    'for=_hidden',
    'for="_gazonk:80"',
    'for=',
    'for=""',
    'for',
    'proto=https;by=203.0.113.7',
    'for=203.0.113.7;for=198.51.100.1', // twice: which of them?
    'for="203.0.113.7',
    'for=203.0.113.7"',
    'for=203.0.113.7 198.51.100.1',
    'for:203.0.113.7',
    '203.0.113.7',
    'xfor=203.0.113.7',
    'for =203.0.113.7',
  ])('Forwarded has no address in %s, and stops there', value => {
    expect(forwarded(value)).toBe(LB)
    expect(forwarded(`for=198.51.100.1, ${value}, for=10.0.0.2`)).toBe('10.0.0.2')
  })

  it('Forwarded cannot be broken by a quote the client left open', () => {
    for (const open of ['for="', 'for="\\', '"', 'for="x", "', String.raw`for=a\"`]) {
      expect(forwarded(`${open}, for=203.0.113.7`), open).toBe('203.0.113.7')
    }
  })

  it('Forwarded is never mixed with X-Forwarded-For', () => {
    expect(client(options, LB, { 'x-forwarded-for': '203.0.113.7' })).toBe(LB)
    expect(client(TRUST, LB, { forwarded: 'for=203.0.113.7' })).toBe(LB)
  })
})

describe('a header with a single address', () => {
  const options: ClientIpOptions = { trustedProxies: ['cloudflare'], clientIpHeader: 'CF-Connecting-IP' }
  const EDGE = '173.245.48.5'

  it('a header with a single address is believed from a trusted peer only', () => {
    expect(client(options, EDGE, { 'cf-connecting-ip': '203.0.113.7' })).toBe('203.0.113.7')
    expect(client(options, EDGE, { 'cf-connecting-ip': ' 2001:DB8::1 ' })).toBe('2001:db8::1')
    expect(client(options, '198.51.100.9', { 'cf-connecting-ip': '203.0.113.7' })).toBe('198.51.100.9')
  })

  it('a header with a single address names the client even if that address is a trusted proxy', () => {
    expect(client(options, EDGE, { 'cf-connecting-ip': '173.245.48.9' })).toBe('173.245.48.9')
  })

  it('a header with a single address is ignored when malformed, doubled or absent', () => {
    for (const value of [
      '',
      'unknown',
      '203.0.113.7, 198.51.100.1',
      '127.1',
      ['203.0.113.7', '203.0.113.7'],
      [],
    ]) {
      expect(client(options, EDGE, { 'cf-connecting-ip': value })).toBe(EDGE)
    }
    expect(client(options, EDGE, { 'x-forwarded-for': '203.0.113.7' })).toBe(EDGE)
    expect(client(options, EDGE, { 'cf-connecting-ip': ['203.0.113.7'] })).toBe('203.0.113.7')
  })

  it('clientIpHeader may have any name, and is read as a list if the name ends in forwarded-for', () => {
    const mine = (name: string): ClientIpOptions => ({ ...TRUST, clientIpHeader: name })
    expect(client(mine('X-Azure-ClientIP'), LB, { 'x-azure-clientip': '203.0.113.7' })).toBe('203.0.113.7')
    expect(
      client(mine('X-Original-Forwarded-For'), LB, { 'x-original-forwarded-for': '203.0.113.7, 10.0.0.2' }),
    ).toBe('203.0.113.7')
  })

  it.each(['', ' ', 'a b', 'x-forwarded-for:', 'é', 'a,b', 1, true, null, ['x-real-ip']])(
    'clientIpHeader refuses the name %j',
    name => {
      expect(refusal({ clientIpHeader: name }).code).toBe('HALT_E_CLIENT_IP_HEADER')
    },
  )
})

describe('trustedProxies', () => {
  it.each([
    1,
    2,
    0,
    true,
    false,
    null,
    'loopback',
    '10.0.0.0/8',
    {},
    [1],
    [true],
    ['0.0.0.0/0'],
    ['::ffff:10.0.0.0/8'],
  ])('trustedProxies refuses %j, with the fix', trustedProxies => {
    const error = refusal({ trustedProxies })
    expect(error.code).toBe('HALT_E_TRUSTED_PROXIES')
    expect(error.fix).toMatch(/"10\.0\.0\.0\/8"|"loopback"/)
  })

  it('trustedProxies may be absent or undefined', () => {
    expect(
      client({ trustedProxies: undefined, clientIpHeader: undefined }, LB, { 'x-forwarded-for': '1.1.1.1' }),
    ).toBe(LB)
    expect(client({ trustedProxies: [] }, LB, { 'x-forwarded-for': '1.1.1.1' })).toBe(LB)
  })

  it('trustedProxies may be a function of the canonical address and the hop, 0 being the peer', () => {
    const calls: [string, number][] = []
    const trustedProxies: TrustedProxies = (address, hop) => {
      calls.push([address, hop])
      return hop < 2
    }
    expect(
      client({ trustedProxies }, '::ffff:10.0.0.1', {
        'x-forwarded-for': '1.1.1.1, 203.0.113.7, [fd00::2]:80',
      }),
    ).toBe('203.0.113.7')
    expect(calls).toEqual([
      ['10.0.0.1', 0],
      ['fd00::2', 1],
      ['203.0.113.7', 2],
    ])
  })

  it('trustedProxies is called for every request, so that its answer may change', () => {
    let trusted = false
    const finder = compileClientIp({ trustedProxies: () => trusted })
    const header = { 'x-forwarded-for': '203.0.113.7' }
    expect(finder.resolve({ ip: LB, headers: header })).toMatchObject({
      address: { text: LB },
      trusted: false,
    })
    trusted = true
    expect(finder.resolve({ ip: LB, headers: header })).toMatchObject({
      address: { text: '203.0.113.7' },
      trusted: true,
    })
  })

  it('trustedProxies trusts no proxy if the function throws or returns anything but true', () => {
    const answers: unknown[] = [1, 'yes', {}, Promise.resolve(true), undefined, null]
    for (const answer of answers) {
      const trustedProxies = (() => answer) as TrustedProxies
      expect(client({ trustedProxies }, LB, { 'x-forwarded-for': '1.1.1.1' })).toBe(LB)
    }
    const throws: TrustedProxies = (_, hop) => {
      if (hop === 1) throw new Error('look-up failed')
      return true
    }
    expect(client({ trustedProxies: throws }, LB, { 'x-forwarded-for': '203.0.113.7, 10.0.0.2' })).toBe(
      '10.0.0.2',
    )
  })
})

describe('walk', () => {
  const walk = (headers: Headers, options = TRUST, peer: string | undefined = LB) =>
    compileClientIp(options).walk({ ip: peer, headers })

  it('walk lists every hop as received, with the reason', () => {
    expect(walk({ 'x-forwarded-for': '1.1.1.1, 203.0.113.7:80,10.0.0.2' })).toEqual([
      {
        address: LB,
        parsed: parseAddress(LB),
        trusted: true,
        why: expect.stringContaining('socket peer') as string,
      },
      {
        address: '10.0.0.2',
        parsed: parseAddress('10.0.0.2'),
        trusted: true,
        why: expect.any(String) as string,
      },
      {
        address: '203.0.113.7:80',
        parsed: parseAddress('203.0.113.7'),
        trusted: false,
        why: 'named by x-forwarded-for, the client',
      },
    ])
  })

  it('walk gives the reason for an early stop', () => {
    expect(walk({ 'x-forwarded-for': '203.0.113.7' }, {})).toMatchObject([
      { why: expect.stringContaining('not in') as string },
    ])
    expect(walk({ 'x-forwarded-for': 'unknown' })).toMatchObject([
      {},
      { address: 'unknown', parsed: undefined, why: expect.stringContaining('no address') as string },
    ])
    expect(walk({ 'x-forwarded-for': '10.0.0.2,'.repeat(40) }).at(-1)?.why).toContain(
      'more hops than Halt reads',
    )
    expect(
      walk({ forwarded: 'for=_x;proto=https' }, { ...TRUST, clientIpHeader: 'forwarded' })[1]?.address,
    ).toBe('for=_x;proto=https')
    expect(walk({}, {}, '/run/app.sock')).toMatchObject([
      { address: '/run/app.sock', parsed: undefined, trusted: false },
    ])
  })
})
