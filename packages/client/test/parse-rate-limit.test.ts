import { RateLimiter } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { parseRateLimit } from '../src/index.ts'

// 24 November 2026, 16:00:00. Whole seconds, because most headers have nothing finer.
const NOW = 1_795_536_000
beforeEach(() => void vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const parse = (headers: Record<string, string>) => parseRateLimit(new Response(null, { headers }))
const ONE = { policy: 'default', limit: 100, remaining: 40, resetAt: NOW + 30 }

describe('parseRateLimit, in each dialect that Halt writes,', () => {
  const policies = [
    { name: 'requests', limit: 10, window: 60, algorithm: 'fixed-window' },
    { name: 'tokens', limit: 500, window: '1h', algorithm: 'fixed-window' },
  ] as const
  const both = [
    { policy: 'requests', limit: 10, remaining: 9, resetAt: NOW + 60, window: 60 },
    { policy: 'tokens', limit: 500, remaining: 499, resetAt: NOW + 3600, window: 3600 },
  ]
  const binding = { policy: 'default', limit: 10, remaining: 9, resetAt: NOW + 60 }

  it.each([
    ['standard', [binding]],
    ['draft-6', [{ ...binding, window: 60 }]],
    ['draft-7', [{ ...binding, window: 60 }]],
    ['draft-8', both],
    ['draft-11', both],
    ['x-ratelimit', [binding]],
    ['openai', both.map(row => ({ ...row, window: undefined }))],
  ] as const)('parseRateLimit reads the dialect %s that Halt writes', async (dialect, expected) => {
    // A window of the store begins with its first request.
    const store = new InMemoryStore({ clock: () => NOW * 1000 })
    const limiter = new RateLimiter({ store, policy: [...policies] })
    const decision = await limiter.consume('client')
    const headers = headerWriter(dialect, limiter)(decision)
    expect(parseRateLimit(new Response(null, { headers }))).toEqual({ retryAfter: 0, policies: expected })
  })
})

describe('parseRateLimit', () => {
  it('parseRateLimit reads GitHub: the resource as the name, and the reset as an instant', () => {
    expect(
      parse({
        'x-ratelimit-limit': '5000',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-used': '5000',
        'x-ratelimit-reset': String(NOW + 1200),
        'x-ratelimit-resource': 'core',
        'retry-after': '60',
      }),
    ).toEqual({
      retryAfter: 60,
      policies: [{ policy: 'core', limit: 5000, remaining: 0, resetAt: NOW + 1200 }],
    })
  })

  it('parseRateLimit reads OpenAI: a limit of requests and a limit of tokens, with Go durations', () => {
    expect(
      parse({
        'retry-after': '20',
        'retry-after-ms': '19300',
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-limit-tokens': '150000',
        'x-ratelimit-remaining-tokens': '149984',
        'x-ratelimit-reset-tokens': '6m0s',
      }),
    ).toEqual({
      retryAfter: 20,
      policies: [
        { policy: 'requests', limit: 60, remaining: 59, resetAt: NOW + 1 },
        { policy: 'tokens', limit: 150_000, remaining: 149_984, resetAt: NOW + 360 },
      ],
    })
  })

  it('parseRateLimit reads Anthropic: each unit, with dates of RFC 3339', () => {
    const reset = new Date((NOW + 45) * 1000).toISOString().replace('.000', '')
    expect(
      parse({
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': reset,
        'anthropic-ratelimit-input-tokens-limit': '30000',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': reset,
      }).policies,
    ).toEqual([
      { policy: 'input-tokens', limit: 30_000, remaining: 0, resetAt: NOW + 45 },
      { policy: 'requests', limit: 50, remaining: 49, resetAt: NOW + 45 },
    ])
  })

  it.each([
    ['limit=100', { limit: 100 }],
    ['remaining=40', { remaining: 40 }],
    ['reset=30', { resetAt: NOW + 30 }],
    ['remaining=40, reset=30', { remaining: 40, resetAt: NOW + 30 }],
  ])('parseRateLimit reads what a dictionary of draft 07 tells, if it tells only %s', (ratelimit, told) => {
    const nothing = { limit: undefined, remaining: undefined, resetAt: undefined }
    expect(parse({ ratelimit }).policies).toEqual([{ policy: 'default', ...nothing, ...told }])
  })

  it.each([
    ['draft 02, with the window in the limit', { 'ratelimit-limit': '100, 100;w=60' }, { window: 60 }],
    ['draft 06', { 'ratelimit-limit': '100', 'ratelimit-policy': '100;w=60' }, { window: 60 }],
    ['a reset as an instant', { 'ratelimit-limit': '100', 'ratelimit-reset': `${NOW + 30}` }, {}],
    ['a reset in milliseconds', { 'ratelimit-limit': '100', 'ratelimit-reset': `${NOW + 30}000` }, {}],
  ])('parseRateLimit reads the three headers: %s', (_name, headers, more) => {
    const trio = { 'ratelimit-remaining': '40', 'ratelimit-reset': '30', ...headers }
    expect(parse(trio).policies).toEqual([{ ...ONE, ...more }])
  })

  it.each([
    [
      'X-Rate-Limit-*',
      { 'X-Rate-Limit-Limit': '100', 'X-Rate-Limit-Remaining': '40', 'X-Rate-Limit-Reset': '30' },
    ],
    [
      'Discord',
      {
        'X-RateLimit-Reset-After': '30',
        'X-RateLimit-Limit': '100',
        'X-RateLimit-Remaining': '40',
        'X-RateLimit-Reset': '1.5',
      },
    ],
    [
      'the headers beside a RateLimit that nobody can read',
      {
        RateLimit: '?!',
        'X-RateLimit-Limit': '100',
        'X-RateLimit-Remaining': '40',
        'X-RateLimit-Reset': '30',
      },
    ],
    [
      'two spellings of one limit',
      {
        'X-RateLimit-Limit': '100',
        'X-RateLimit-Remaining': '40',
        'RateLimit-Limit': '100',
        'RateLimit-Remaining': '40',
        'RateLimit-Reset': '30',
      },
    ],
  ])('parseRateLimit reads %s', (_name, headers) => {
    expect(parse(headers).policies).toEqual([ONE])
  })

  it('parseRateLimit reads limits with a name behind each header, as @nestjs/throttler writes them', () => {
    const headers = {
      'X-RateLimit-Limit-short': '3',
      'X-RateLimit-Remaining-short': '2',
      'X-RateLimit-Reset-short': '1',
    }
    expect(parse(headers).policies).toEqual([{ policy: 'short', limit: 3, remaining: 2, resetAt: NOW + 1 }])
  })

  it('parseRateLimit takes names that are tokens, unknown parameters, and policies without a state', () => {
    expect(
      parse({
        RateLimit: 'burst;r=7;t=2;new=?1',
        'RateLimit-Policy': 'burst;q=10;w=60;qu="requests", "daily";q=1000;w=86400;pk=:cHI=:',
      }).policies,
    ).toEqual([
      { policy: 'burst', limit: 10, remaining: 7, resetAt: NOW + 2, window: 60 },
      { policy: 'daily', limit: 1000, remaining: undefined, resetAt: undefined, window: 86_400 },
    ])
  })

  it.each([
    ['r and t, names as texts', '"burst";r=7;t=2, "daily";r=0;t=40'],
    ['a and w, names as texts', '"burst";a=7;w=2, "daily";a=0;w=40'],
    ['a and w, names as tokens', 'burst;a=7;w=2, daily;a=0;w=40'],
    ['each kind in one list', 'burst;a=7;w=2, "daily";r=0;t=40'],
    ['both kinds of one limit, of which the drafts win', 'burst;r=7;a=1;t=2;w=1, daily;r=0;t=40;a=9;w=9'],
  ])('parseRateLimit reads the list of RateLimit: %s', (_name, RateLimit) => {
    const policy = 'burst;q=10;w=60, "daily";q=1000;w=86400'
    expect(parse({ RateLimit, 'RateLimit-Policy': policy }).policies).toEqual([
      { policy: 'burst', limit: 10, remaining: 7, resetAt: NOW + 2, window: 60 },
      { policy: 'daily', limit: 1000, remaining: 0, resetAt: NOW + 40, window: 86_400 },
    ])
  })

  it('parseRateLimit reads RateLimit and not the three headers beside it, because they tell the same', () => {
    const trio = { 'RateLimit-Limit': '100', 'RateLimit-Remaining': '40', 'RateLimit-Reset': '30' }
    expect(parse({ RateLimit: '"minute";r=40;t=30', ...trio }).policies.map(({ policy }) => policy)).toEqual([
      'minute',
    ])
  })

  it.each([
    ['seconds', '120', 120],
    ['a fraction of a second, rounded up', '1.2', 2],
    ['an HTTP date', new Date((NOW + 90) * 1000).toUTCString(), 90],
    ['a date of RFC 850', 'Tuesday, 24-Nov-26 16:01:30 GMT', 90],
    ['a date in the past', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['a date of asctime in the past', 'Sun Nov  6 08:49:37 1994', 0],
    ['0', '0', 0],
  ])('parseRateLimit reads Retry-After: %s', (_name, value, expected) => {
    expect(parse({ 'retry-after': value }).retryAfter).toBe(expected)
  })

  it('parseRateLimit compares a date of the server with the clock of the server', () => {
    const server = NOW - 3600
    const date = new Date(server * 1000).toUTCString()
    const later = new Date((server + 50) * 1000).toUTCString()
    const answer = {
      date,
      'retry-after': later,
      'x-ratelimit-limit': '5',
      'x-ratelimit-reset': `${server + 50}`,
    }
    expect(parse(answer)).toMatchObject({ retryAfter: 50, policies: [{ resetAt: NOW + 50 }] })
  })

  it('parseRateLimit does not correct an instant by a difference that the whole seconds of Date explain', () => {
    const date = new Date((NOW - 1) * 1000).toUTCString()
    const answer = { date, 'x-ratelimit-limit': '5', 'x-ratelimit-reset': `${NOW + 50}` }
    expect(parse(answer).policies[0]?.resetAt).toBe(NOW + 50)
  })

  it.each([
    ['99999999999', 99_999_999_999],
    ['100000000000', 100_000_000],
    ['8640000000000000', 8_640_000_000_000],
  ])(
    'parseRateLimit takes an instant below 1e11 for seconds, and another one for milliseconds: %s',
    (reset, resetAt) => {
      expect(parse({ 'x-ratelimit-reset': reset }).policies).toEqual([{ policy: 'default', resetAt }])
    },
  )

  it('parseRateLimit ignores the limits of an answer from a cache', () => {
    expect(
      parse({ age: '5', 'ratelimit-limit': '1', 'ratelimit-remaining': '0', 'retry-after': '3' }),
    ).toEqual({
      retryAfter: 3,
      policies: [],
    })
  })

  it('parseRateLimit reads one header alone, and the standard name before the older one', () => {
    const alone = (name: string, value: string) => parse({ [name]: value, 'x-ratelimit-limit': '7' }).policies
    expect(alone('ratelimit-limit', '100')).toEqual([{ policy: 'default', limit: 100 }])
    expect(alone('ratelimit-remaining', '40')).toEqual([{ policy: 'default', remaining: 40 }])
    expect(alone('ratelimit-reset', '30')).toEqual([{ policy: 'default', resetAt: NOW + 30 }])
    expect(alone('etag', 'x')).toEqual([{ policy: 'default', limit: 7 }])
  })

  it('parseRateLimit caps a Retry-After of ten years at 24 hours, and warns', () => {
    const warned: string[] = []
    const warn = ({ code, message }: { code: string; message: string }) => void warned.push(code, message)
    const headers = { 'retry-after': '315360000' }
    expect(parseRateLimit({ headers }, { warn }).retryAfter).toBe(86_400)
    expect(warned).toEqual(['HALT_W_RETRY_AFTER', expect.stringContaining('3650 days')])
  })

  it('parseRateLimit reads headers of Node, of any case, of several lines, and of no use', () => {
    const node = {
      'ratelimit-limit': '100',
      'RateLimit-Remaining': ['40'],
      'ratelimit-reset': 30,
      x: undefined,
    }
    expect(parseRateLimit({ headers: node }).policies).toEqual([ONE])
    expect(parseRateLimit(node as never).policies).toEqual([ONE])
    for (const nothing of [undefined, null, 7, 'text', {}, { headers: null }])
      expect(parseRateLimit(nothing as never)).toEqual({ retryAfter: 0, policies: [] })
  })
})

it('a header without a line tells nothing, and hides no other header', () => {
  const headers = { 'ratelimit-limit': [], 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '40' }
  expect(parseRateLimit({ headers }).policies).toMatchObject([
    { policy: 'default', limit: 100, remaining: 40 },
  ])
})
