import { readFileSync } from 'node:fs'
import { addressKey, RateLimiter } from '@halt/core'
import { ReferenceStore } from '@halt/core/testing'
import { afterAll, describe, expect, it } from 'vitest'

interface Row {
  readonly key: string | null
  readonly source: string
}
interface AddressRow extends Row {
  readonly kind: string
  readonly notation: string
  readonly text: string
}
interface RequestRow extends Row {
  readonly proxy: string
  readonly peer: string
  readonly proxies: readonly string[]
  readonly header: string
  readonly lines: readonly string[]
}

const corpus = JSON.parse(
  readFileSync(new URL('../../corpus/client-addresses.json', import.meta.url), 'utf8'),
) as {
  readonly ipv6Prefix: number
  readonly addresses: readonly AddressRow[]
  readonly requests: readonly RequestRow[]
}
const { ipv6Prefix, addresses, requests } = corpus

const store = new ReferenceStore(() => 0)
const policy = { name: 'corpus', limit: 1000, window: 60 }
const limiters: RateLimiter[] = []

/** The key under which a limiter counts a request. */
async function keyOf(
  options: { readonly trustedProxies?: readonly string[]; readonly clientIpHeader?: string },
  remoteAddress: string,
  headers: Record<string, string | string[]> = {},
): Promise<string | undefined> {
  const limiter = new RateLimiter({ store, policy, ipv6Prefix, exemptPrivateIps: false, ...options })
  limiters.push(limiter)
  const { key } = await limiter.check({ socket: { remoteAddress }, headers })
  return key
}

afterAll(() => Promise.all(limiters.map(limiter => limiter.close())))

describe('an address of the corpus', () => {
  it.each(addresses)('the key of $kind, $notation, $text is $key', async ({ text, key }) => {
    expect(addressKey(text, { ipv6Prefix }) ?? null).toBe(key)
    // A socket without an address is counted under a key of its own.
    expect(await keyOf({}, text)).toBe(key === null ? 'ip:unknown' : `ip:${key}`)
  })

  it.each(addresses)('$kind, $notation, $text has this key in a header too', async ({ text, key }) => {
    const options = { trustedProxies: ['198.51.100.1'], clientIpHeader: 'x-real-ip' }
    const found = await keyOf(options, '198.51.100.1', { 'x-real-ip': text })
    expect(found).toBe(`ip:${key ?? '198.51.100.1'}`)
  })
})

describe('a request of the corpus', () => {
  it.each(requests)(
    '$proxy from $peer with $header $lines is of $key',
    async ({ peer, proxies, header, lines, key }) => {
      const options = { trustedProxies: proxies, clientIpHeader: header }
      const headers = lines.length > 0 ? { [header]: [...lines] } : {}
      expect(await keyOf(options, peer, headers)).toBe(`ip:${key}`)
    },
  )

  it.each(requests.filter(({ lines }) => lines.length === 1))(
    '$proxy from $peer with $header $lines is of $key where Node hands one text',
    async ({ peer, proxies, header, lines: [line = ''], key }) => {
      const options = { trustedProxies: proxies, clientIpHeader: header }
      expect(await keyOf(options, peer, { [header]: line })).toBe(`ip:${key}`)
    },
  )
})

describe('the corpus', () => {
  it('the first rows of the corpus are those of CVE-2026-30827', () => {
    expect(addresses.slice(0, 2)).toMatchObject([
      { text: '::ffff:203.0.113.7', key: '203.0.113.7', note: expect.stringContaining('CVE-2026-30827') },
      { text: '::ffff:203.0.113.8', key: '203.0.113.8' },
    ])
  })

  it('each row of the corpus stands once, and names its source', () => {
    const texts = addresses.map(({ text }) => text)
    expect(texts).toEqual([...new Set(texts)])
    const asked = requests.map(({ proxy, peer, header, lines }) =>
      JSON.stringify([proxy, peer, header, lines]),
    )
    expect(asked).toEqual([...new Set(asked)])
    for (const { source } of [...addresses, ...requests]) expect(source).toMatch(/^https:\/\//)
  })

  it.each(['mapped', 'compatible', 'SIIT', 'NAT64', '6to4', 'Teredo'])(
    'the corpus has every notation of a %s address, and a second client',
    kind => {
      const rows = addresses.filter(row => row.kind === kind)
      const notations = new Set(rows.map(({ notation }) => notation))
      expect(notations.size).toBeGreaterThanOrEqual(12)
      expect(new Set(rows.map(({ key }) => key)).size).toBeGreaterThanOrEqual(2)
    },
  )
})
