import { createHash, createHmac } from 'node:crypto'

import { parseDictionary, parseList } from 'structured-headers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Policy, RequestView } from '../../src/index.ts'
import { headerWriter } from '../../src/http/index.ts'
import { by, CLIENT, type Options, START, times, view, world } from '../world.ts'
import { headersOf } from './headers-of.ts'

const NOW = START / 1000
const bucket: Policy = { name: 'minute', limit: 100, window: 60, burst: 120 }
const hourly: Policy = { name: 'hour', limit: 5, window: 3600, algorithm: 'fixed-window' }
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())
/** A structured list as plain data: `[[name, { q: 100 }], …]`. */
function structured(header: string | undefined): [unknown, Record<string, unknown>][] {
  return parseList(header ?? '').map(([value, parameters]) => [value, Object.fromEntries(parameters)])
}

describe('the window of a policy', () => {
  it('the header shows the window of the policy that decided, whatever else a resolver returns by its name', async () => {
    const { limiter } = world()
    const short: Policy = { name: 'plan', limit: 10, window: 60 }
    const long: Policy = { name: 'plan', limit: 10, window: 3600 }
    const one = limiter(request => ((request as { long?: true }).long ? long : short))
    const write = headerWriter('draft-7', one)
    const asked = async (request: object): Promise<string | undefined> =>
      write(await one.check(view({ request })))['RateLimit-Policy']
    expect([await asked({}), await asked({ long: true }), await asked({})]).toEqual([
      '10;w=60',
      '10;w=3600',
      '10;w=60',
    ])
  })

  it('the window of a policy is known for a decision of another limiter', async () => {
    const { limiter } = world()
    const decision = await limiter({ name: 'rows', limit: 5, window: 60 }).check(view())
    expect(headerWriter('draft-11', limiter(bucket))(decision)['RateLimit-Policy']).toBe('"rows";q=5;w=60')
  })
})

describe('the dialects, allowed and refused', () => {
  it.each([
    [
      'standard',
      { 'RateLimit-Limit': '5', 'RateLimit-Remaining': '4', 'RateLimit-Reset': String(NOW + 3600) },
    ],
    [
      'draft-6',
      {
        'RateLimit-Policy': '5;w=3600',
        'RateLimit-Limit': '5',
        'RateLimit-Remaining': '4',
        'RateLimit-Reset': '3600',
      },
    ],
    ['draft-7', { 'RateLimit-Policy': '5;w=3600', RateLimit: 'limit=5, remaining=4, reset=3600' }],
    [
      'draft-8',
      {
        'RateLimit-Policy':
          '"minute"; q=100; w=60; pk=:NjgzNjhiODM2YWY3:, "hour"; q=5; w=3600; pk=:NjgzNjhiODM2YWY3:',
        RateLimit: '"minute"; r=100; t=1, "hour"; r=4; t=3600',
      },
    ],
    [
      'draft-11',
      {
        'RateLimit-Policy': '"minute";q=100;w=60, "hour";q=5;w=3600',
        RateLimit: '"minute";r=100;t=1, "hour";r=4;t=3600',
      },
    ],
    [
      'x-ratelimit',
      {
        'X-RateLimit-Limit': '5',
        'X-RateLimit-Remaining': '4',
        'X-RateLimit-Used': '1',
        'X-RateLimit-Reset': String(NOW + 3600),
      },
    ],
    [
      'openai',
      {
        'x-ratelimit-limit-requests': '5',
        'x-ratelimit-remaining-requests': '4',
        'x-ratelimit-reset-requests': '1h0m0s',
      },
    ],
    [false, {}],
  ] as const)('the dialect %s writes its headers, and Retry-After if refused', async (dialect, expected) => {
    const policies = [bucket, hourly]
    expect(await headersOf(dialect, policies, 1)).toEqual(expected)
    const refused = await headersOf(dialect, policies, 6)
    expect(refused['Retry-After']).toBe('3600')
    expect(Object.keys(refused)).toEqual([...Object.keys(expected), 'Retry-After'])
  })

  it('the drafts count their seconds by the store’s clock, not by this process’s', async () => {
    vi.setSystemTime(START + 1_000_000)
    const headers = await headersOf('draft-6', hourly, 1)
    expect(headers['RateLimit-Reset']).toBe('3600')
  })

  it.each([
    ['draft-6', 'RateLimit-Reset', /^(\d+)$/],
    ['draft-7', 'RateLimit', /reset=(\d+)$/],
    ['draft-8', 'RateLimit', /t=(\d+)$/],
    ['draft-11', 'RateLimit', /t=(\d+)$/],
  ] as const)('the dialect %s rounds the seconds until the exact reset up', async (dialect, name, reset) => {
    const { limiter, clock } = world()
    const one = limiter(hourly)
    await one.check(view())
    const told: unknown[] = []
    for (let i = 0; i < 3; i++) {
      clock.advance('700ms')
      told.push(headerWriter(dialect, one)(await one.check(view()))[name]?.match(reset)?.[1])
    }
    expect(told).toEqual(['3600', '3599', '3598'])
  })

  it('a header never shows more left than the limit', async () => {
    const { limiter } = world()
    const one = limiter(bucket)
    const decision = await one.check(view())
    expect(decision.remaining).toBe(119)
    expect(headerWriter('standard', one)(decision)['RateLimit-Remaining']).toBe('100')
    expect(headerWriter('draft-11', one)(decision)['RateLimit']).toBe('"minute";r=100;t=1')
  })

  it('a header of the drafts shows when a refusing policy lets the request pass', async () => {
    const headers = await headersOf('draft-8', { name: 'p', limit: 3, window: 30 }, 4)
    expect(headers['RateLimit']).toBe('"p"; r=0; t=10')
  })
})

describe('the structured fields', () => {
  const policies = [
    bucket,
    hourly,
    { name: 'A-b_c.9', limit: 7, window: '1500ms' },
    { name: 'q', limit: 9, period: 'daily' } as const,
  ]

  it.each(['draft-8', 'draft-11'] as const)(
    'the structured fields of %s parse by RFC 9651, and agree with the decision',
    async dialect => {
      const limiter = world().limiter(policies)
      for (const decision of await times(7, limiter)) {
        const headers = headerWriter(dialect, limiter)(decision)
        const said = decision.verdicts
        expect(structured(headers['RateLimit'])).toEqual(
          said.map(({ policy, remaining, limit }) => [
            policy,
            { r: Math.max(0, Math.min(remaining, limit)), t: expect.any(Number) },
          ]),
        )
        expect(structured(headers['RateLimit-Policy']).map(([name, { q }]) => [name, q])).toEqual(
          said.map(({ policy, limit }) => [policy, limit]),
        )
      }
    },
  )

  it('the structured fields have whole windows of at least a second, and none for a calendar period', async () => {
    const limiter = world().limiter(policies)
    const headers = headerWriter('draft-11', limiter)(await limiter.check(view()))
    expect(structured(headers['RateLimit-Policy']).map(([, { w }]) => w)).toEqual([60, 3600, 2, undefined])
  })

  it.each(['draft-8', 'draft-11'] as const)(
    'the structured fields of %s describe requests in flight as the draft does',
    async dialect => {
      const headers = await headersOf(dialect, { name: 'f', limit: 5, algorithm: 'concurrency', ttl: 60 }, 1)
      expect(structured(headers['RateLimit-Policy'])).toMatchObject([
        ['f', { q: 5, w: 60, qu: 'concurrent-requests' }],
      ])
    },
  )

  it('the header of draft-7 parses as a dictionary', async () => {
    const headers = await headersOf('draft-7', hourly, 1)
    const members = [...parseDictionary(headers['RateLimit'] ?? '')].map(([name, [value]]) => [name, value])
    expect(Object.fromEntries(members)).toEqual({ limit: 5, remaining: 4, reset: 3600 })
  })
})

describe('the partition key of draft-8', () => {
  const perUser: Policy = { name: 'user', limit: 9, window: 60, keyStrategy: 'user' }

  /** The partition keys in the headers of one request, as text. */
  async function partitions(request: RequestView, options: Options = {}): Promise<string[]> {
    const limiter = world().limiter([hourly, perUser], options)
    const headers = headerWriter('draft-8', limiter)(await limiter.check(request))
    return structured(headers['RateLimit-Policy']).map(([, { pk }]) =>
      new TextDecoder().decode(pk as ArrayBuffer),
    )
  }

  it('a partition key is the first 12 hexadecimal digits of the SHA-256 of the policy’s key', async () => {
    const digits = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 12)
    expect(await partitions(by(42))).toEqual([digits(`ip:${CLIENT}`), digits('user:42')])
  })

  it('a partition key uses `secret`, so that guesses cannot be tested without it', async () => {
    const secret = 'a secret of a decent length'
    const digits = (key: string): string =>
      createHmac('sha256', secret).update(key).digest('hex').slice(0, 12)
    expect(await partitions(by(42), { secret })).toEqual([digits(`ip:${CLIENT}`), digits('user:42')])
  })

  it('a partition key contains no id, and differs between clients', async () => {
    const all = await Promise.all(['ann', 'ben'].map(id => partitions(by(id))))
    expect(new Set(all.map(([, user]) => user)).size).toBe(2)
    expect(JSON.stringify(all)).not.toMatch(/ann|ben/)
  })

  it('a partition key exists for keys with any characters', async () => {
    for (let i = 0; i < 200; i++) expect((await partitions(by(`é-${i}`)))[1]).toMatch(/^[\da-f]{12}$/)
  })
})

describe('OpenAI’s headers', () => {
  it('OpenAI’s headers show the tightest policy of requests and of tokens', async () => {
    const policies: Policy[] = [
      { name: 'llm_requests', limit: 60, window: 60, algorithm: 'fixed-window' },
      { name: 'llm_tokens', limit: 90_000, window: '2h', algorithm: 'fixed-window' },
      { name: 'daily_tokens', limit: 1_000_000, window: '1d' },
    ]
    expect(await headersOf('openai', policies, 1)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1m0s',
      'x-ratelimit-limit-tokens': '90000',
      'x-ratelimit-remaining-tokens': '89999',
      'x-ratelimit-reset-tokens': '2h0m0s',
    })
    const [, tokens] = policies
    const refused = await headersOf(
      'openai',
      [
        { ...policies[0]!, limit: 1 },
        { ...tokens!, limit: 1 },
      ],
      2,
    )
    expect(refused).toMatchObject({
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-tokens': '2h0m0s',
    })
  })
})
