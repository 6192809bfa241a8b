import { parseDictionary, parseList } from 'structured-headers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Decision, Policy, Quota, RateLimiter } from '../../src/index.ts'
import { type HeaderDialect, type Headers, headerWriter } from '../../src/http/index.ts'
import { mistake, type Options, START, times, view, world } from '../world.ts'

const NOW = START / 1000
const DIALECTS = ['standard', 'draft-6', 'draft-7', 'draft-8', 'draft-11', 'x-ratelimit', 'openai'] as const
const bucket: Policy = { name: 'minute', limit: 100, window: 60, burst: 120 }
const hourly: Policy = { name: 'hour', limit: 5, window: 3600, algorithm: 'fixed-window' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())

/** The headers of the last of some requests. */
async function headersOf(
  dialect: HeaderDialect,
  policy: Policy | Quota | (Policy | Quota)[],
  requests: number,
  options: Options = {},
): Promise<Headers> {
  const limiter: RateLimiter = world().limiter(policy, options)
  const decision = (await times(requests, limiter)).at(-1) as Decision
  return headerWriter(dialect, limiter)(decision)
}

/** A structured list as plain data: `[[name, { q: 100 }], …]`. */
function structured(header: string | undefined): [unknown, Record<string, unknown>][] {
  return parseList(header ?? '').map(([value, parameters]) => [value, Object.fromEntries(parameters)])
}

describe('the dialects, allowed and refused', () => {
  it.each([
    ['standard', { 'RateLimit-Limit': '5', 'RateLimit-Remaining': '4', 'RateLimit-Reset': String(NOW + 3600) }],
    [
      'draft-6',
      { 'RateLimit-Policy': '5;w=3600', 'RateLimit-Limit': '5', 'RateLimit-Remaining': '4', 'RateLimit-Reset': '3600' },
    ],
    ['draft-7', { 'RateLimit-Policy': '5;w=3600', RateLimit: 'limit=5, remaining=4, reset=3600' }],
    ['draft-8', { 'RateLimit-Policy': '"hour"; q=5; w=3600', RateLimit: '"hour"; r=4; t=3600' }],
    [
      'draft-11',
      { 'RateLimit-Policy': '"minute";q=100;w=60, "hour";q=5;w=3600', RateLimit: '"minute";r=100;t=1, "hour";r=4;t=3600' },
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
        'x-ratelimit-limit-requests': '100',
        'x-ratelimit-remaining-requests': '100',
        'x-ratelimit-reset-requests': '1s',
      },
    ],
    [false, {}],
  ] as const)('%s', async (dialect, expected) => {
    const policies = [bucket, hourly]
    expect(await headersOf(dialect, policies, 1)).toEqual(expected)
    const refused = await headersOf(dialect, policies, 6)
    expect(refused['Retry-After']).toBe('3600')
    expect(Object.keys(refused)).toEqual([...Object.keys(expected), 'Retry-After'])
  })

  it('tell the drafts’ seconds by the store’s clock, not this process’s', async () => {
    vi.setSystemTime(START + 1_000_000)
    const headers = await headersOf('draft-6', hourly, 1)
    expect(headers['RateLimit-Reset']).toBe('3600')
  })

  it('never show more left than the limit, nor less than nothing', async () => {
    const { limiter } = world()
    const one = limiter(bucket)
    const decision = await one.check(view())
    expect(decision.remaining).toBe(119)
    expect(headerWriter('standard', one)(decision)['RateLimit-Remaining']).toBe('100')
    expect(headerWriter('draft-11', one)(decision)['RateLimit']).toBe('"minute";r=100;t=1')
  })

  it('tell when a refused policy lets the request pass, in the drafts', async () => {
    const headers = await headersOf('draft-8', { name: 'p', limit: 3, window: 30 }, 4)
    expect(headers['RateLimit']).toBe('"p"; r=0; t=10')
  })
})

describe('the structured fields', () => {
  const policies = [bucket, hourly, { name: 'A-b_c.9', limit: 7, window: '1500ms' }, { name: 'q', limit: 9, period: 'daily' } as const]

  it.each(['draft-8', 'draft-11'] as const)('of %s parse by RFC 9651, and say what the decision does', async dialect => {
    const limiter = world().limiter(policies)
    for (const decision of await times(7, limiter)) {
      const headers = headerWriter(dialect, limiter)(decision)
      const said = dialect === 'draft-11' ? decision.verdicts : [decision]
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
  })

  it('have whole windows of a second or more, and none for a calendar’s period', async () => {
    const limiter = world().limiter(policies)
    const headers = headerWriter('draft-11', limiter)(await limiter.check(view()))
    expect(structured(headers['RateLimit-Policy']).map(([, { w }]) => w)).toEqual([60, 3600, 2, undefined])
  })

  it('tell requests in flight as the draft does', async () => {
    const headers = await headersOf('draft-11', { name: 'f', limit: 5, algorithm: 'concurrency', ttl: 60 }, 1)
    expect(structured(headers['RateLimit-Policy'])).toEqual([['f', { q: 5, w: 60, qu: 'concurrent-requests' }]])
  })

  it('of draft-7 parse as a dictionary', async () => {
    const headers = await headersOf('draft-7', hourly, 1)
    const members = [...parseDictionary(headers['RateLimit'] ?? '')].map(([name, [value]]) => [name, value])
    expect(Object.fromEntries(members)).toEqual({ limit: 5, remaining: 4, reset: 3600 })
  })
})

describe('what no header tells of', () => {
  it('an exempt request', async () => {
    const limiter = world().limiter(bucket)
    const exempt = await limiter.check(view({ path: '/health' }))
    for (const dialect of [...DIALECTS, () => ({ 'X-Mine': '1' })]) expect(headerWriter(dialect, limiter)(exempt)).toEqual({})
  })

  it('a policy that only reports', async () => {
    const shadow: Policy = { name: 'secret', limit: 1, window: 60, mode: 'shadow' }
    for (const dialect of DIALECTS) {
      expect(JSON.stringify(await headersOf(dialect, [bucket, shadow], 3)), dialect).not.toContain('secret')
      expect(await headersOf(dialect, shadow, 3), dialect).toEqual({})
    }
  })

  it('policies that are open while the store is away, in lists', async () => {
    const away = { evaluate: () => Promise.reject(new Error('gone')), forget: () => {} }
    const headers = await headersOf('draft-11', bucket, 1, { store: away, onStoreError: 'open' })
    expect(headers).toEqual({})
  })

  it('a refusal that no counter decided, but when to come back', async () => {
    for (const dialect of DIALECTS) {
      const limiter = world().limiter(() => undefined as unknown as Policy)
      expect(headerWriter(dialect, limiter)(await limiter.check(view()))).toEqual({ 'Retry-After': '1' })
    }
  })

  it('when to come back, where that is never: too large a cost, a missing key', async () => {
    const limiter = world().limiter({ ...hourly, keyStrategy: 'user', onMissingKey: 'deny' })
    const missing = await limiter.check(view())
    const large = await limiter.check(view({ request: { user: { id: 1 } } }), { cost: 6 })
    for (const dialect of DIALECTS) {
      for (const decision of [missing, large]) {
        const headers = headerWriter(dialect, limiter)(decision)
        expect(headers).not.toHaveProperty('Retry-After')
        expect(JSON.stringify(headers)).not.toMatch(/Infinity|NaN|null/)
      }
    }
  })
})

describe('OpenAI’s headers', () => {
  it('tell requests and tokens apart', async () => {
    const policies: Policy[] = [
      { name: 'llm_requests', limit: 60, window: 60, algorithm: 'fixed-window' },
      { name: 'llm_tokens', limit: 90_000, window: '2h', algorithm: 'fixed-window' },
      { name: 'tpm', limit: 5, window: 60 },
    ]
    expect(await headersOf('openai', policies, 1)).toEqual({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1m0s',
      'x-ratelimit-limit-tokens': '90000',
      'x-ratelimit-remaining-tokens': '89999',
      'x-ratelimit-reset-tokens': '2h0m0s',
    })
  })
})

describe('a function of one’s own', () => {
  const limiter = world().limiter({ name: 'p', limit: 1, window: 60 })

  it('writes what it gives, beside Retry-After', async () => {
    const write = headerWriter(({ remaining }) => ({ 'X-Left': String(remaining) }), limiter)
    const [allowed, refused] = (await times(2, world().limiter({ name: 'p', limit: 1, window: 60 }))) as [Decision, Decision]
    expect(write(allowed)).toEqual({ 'X-Left': '0' })
    expect(write(refused)).toEqual({ 'X-Left': '0', 'Retry-After': '60' })
  })

  it.each([
    ['throws', () => { throw new Error('broken') }],
    ['gives nothing', () => undefined],
    ['gives a number', () => ({ 'X-Left': 5 })],
    ['gives a line break', () => ({ 'X-Left': '1\r\nSet-Cookie: a=b' })],
    ['gives a wrong name', () => ({ 'X Left': '1' })],
    ['gives no latin-1', () => ({ 'X-Left': '€' })],
  ])('that %s writes nothing, and warns: no request fails', async (_how, dialect) => {
    const { limiter: make, codes } = world()
    const one = make({ name: 'p', limit: 1, window: 60 })
    const write = headerWriter(dialect as unknown as HeaderDialect, one)
    const [allowed, refused] = (await times(2, one)) as [Decision, Decision]
    expect([write(allowed), write(refused)]).toEqual([{}, { 'Retry-After': '60' }])
    expect(codes()).toEqual(['HALT_W_HEADERS'])
  })
})

describe('an unknown dialect', () => {
  it.each(['draft-5', 'STANDARD', true, null, 5, 'constructor', '__proto__'])('is refused: %o', dialect => {
    const error = mistake(() => headerWriter(dialect as HeaderDialect, world().limiter(bucket)))
    expect(error.code).toBe('HALT_E_HEADERS')
    expect(error.fix).toContain('draft-11')
  })
})
