import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { parseRateLimit } from '../src/index.ts'

// 24 November 2026, 16:00:00. Whole seconds, because most headers have nothing finer.
const NOW = 1_795_536_000
beforeEach(() => void vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const parse = (headers: Record<string, string>) => parseRateLimit(new Response(null, { headers }))

describe('parseRateLimit and a server that lies', () => {
  const none = { retryAfter: 0, policies: [] }

  it.each([
    ['a negative Retry-After', { 'retry-after': '-5' }],
    ['a Retry-After that is no number', { 'retry-after': 'soon 1' }],
    ['an exponent', { 'retry-after': '1e3' }],
    ['NaN', { 'retry-after': 'NaN', 'retry-after-ms': 'Infinity' }],
    ['negative counts', { 'x-ratelimit-limit': '-1', 'x-ratelimit-remaining': '-1' }],
    ['an impossible date', { 'retry-after': 'Foo, 99 Bar 2026 99:99:99 GMT' }],
    ['a list that is none', { RateLimit: '"a;r=', 'RateLimit-Policy': ';;;' }],
    ['lists inside the list', { RateLimit: '("a" "b");r=1' }],
    ['items that are no names', { RateLimit: '1;r=1, ?1;r=2, :YQ==:;r=3' }],
    ['text', { 'x-ratelimit-limit': 'unlimited', 'x-ratelimit-reset': 'tomorrow' }],
    ['a Go duration that is none', { 'x-ratelimit-reset': '6m0' }],
    ['a year that no date holds', { 'x-ratelimit-reset': '99999999999999999999' }],
  ])('parseRateLimit ignores %s', (_name, headers) => {
    expect(parse(headers as Record<string, string>)).toEqual(none)
  })

  it('parseRateLimit shows at most the limit as remaining, and a reset in the past as it is', () => {
    const headers = {
      'ratelimit-limit': '100',
      'ratelimit-remaining': '4000',
      'ratelimit-reset': `${NOW - 30}`,
    }
    expect(parse(headers).policies).toEqual([
      { policy: 'default', limit: 100, remaining: 100, resetAt: NOW - 30 },
    ])
    expect(parse({ RateLimit: '"a";r=50', 'RateLimit-Policy': '"a";q=5' }).policies[0]?.remaining).toBe(5)
  })

  it.each([
    ['a long duration', `${'1h'.repeat(30_000)}x`],
    ['many quotes', '"'.repeat(60_000)],
    ['a list that never ends', 'a=1,'.repeat(20_000)],
    ['a number of 60 000 digits', '9'.repeat(60_000)],
  ])('parseRateLimit ignores %s in each header', (_name, text) => {
    const names = ['ratelimit', 'ratelimit-policy', 'ratelimit-limit', 'x-ratelimit-reset']
    for (const name of names) expect(parse({ [name]: text }), name).toEqual(none)
  })

  it('parseRateLimit tells to wait for a day at most, with a warning, for a number of 60 000 digits', () => {
    const warned: string[] = []
    const headers = { 'retry-after': '9'.repeat(60_000) }
    const reading = parseRateLimit({ headers }, { warn: ({ code }) => void warned.push(code) })
    expect(reading).toEqual({ retryAfter: 86_400, policies: [] })
    expect(warned).toEqual(['HALT_W_RETRY_AFTER'])
  })
})
