import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Decision, Policy } from '../../src/index.ts'
import { type HeaderDialect, headerWriter } from '../../src/http/index.ts'
import { mistake, START, times, view, world } from '../world.ts'
import { headersOf } from './headers-of.ts'

const hourly: Policy = { name: 'hour', limit: 5, window: 3600, algorithm: 'fixed-window' }

const DIALECTS = ['standard', 'draft-6', 'draft-7', 'draft-8', 'draft-11', 'x-ratelimit', 'openai'] as const
const bucket: Policy = { name: 'minute', limit: 100, window: 60, burst: 120 }
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())

describe('decisions without headers', () => {
  it('an exempt request gets no headers', async () => {
    const limiter = world().limiter(bucket)
    const exempt = await limiter.check(view({ path: '/health' }))
    for (const dialect of [...DIALECTS, () => ({ 'X-Mine': '1' })])
      expect(headerWriter(dialect, limiter)(exempt)).toEqual({})
  })

  it('a policy in shadow mode appears in no headers', async () => {
    const shadow: Policy = { name: 'secret', limit: 1, window: 60, mode: 'shadow' }
    for (const dialect of DIALECTS) {
      expect(JSON.stringify(await headersOf(dialect, [bucket, shadow], 3)), dialect).not.toContain('secret')
      expect(await headersOf(dialect, shadow, 3), dialect).toEqual({})
    }
  })

  it.each(['draft-8', 'draft-11'] as const)(
    'an open policy appears in no list of %s during an outage',
    async dialect => {
      const away = { evaluate: () => Promise.reject(new Error('gone')), forget: () => 0 }
      const headers = await headersOf(dialect, bucket, 1, { store: away, onStoreError: 'open' })
      expect(headers).toEqual({})
    },
  )

  it('a refusal that no counter decided gets Retry-After alone', async () => {
    for (const dialect of DIALECTS) {
      const limiter = world().limiter(() => undefined as unknown as Policy)
      expect(headerWriter(dialect, limiter)(await limiter.check(view()))).toEqual({ 'Retry-After': '1' })
    }
  })

  it('a refusal that can never pass has no Retry-After: a cost that is too large, a missing key', async () => {
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

describe('the lists of the drafts', () => {
  it('the lists of the drafts tell no time for a policy whose key is missing', async () => {
    const limiter = world().limiter({ ...hourly, keyStrategy: 'user', onMissingKey: 'deny' })
    const missing = await limiter.check(view())
    expect(headerWriter('draft-11', limiter)(missing)['RateLimit']).toBe('"hour";r=0')
    expect(headerWriter('draft-8', limiter)(missing)['RateLimit']).toBe('"hour"; r=0')
  })
})

describe('a custom headers function', () => {
  const limiter = world().limiter({ name: 'p', limit: 1, window: 60 })

  it('a custom headers function writes the headers that it returns, and Retry-After', async () => {
    const write = headerWriter(({ remaining }) => ({ 'X-Left': String(remaining) }), limiter)
    const [allowed, refused] = (await times(2, world().limiter({ name: 'p', limit: 1, window: 60 }))) as [
      Decision,
      Decision,
    ]
    expect(write(allowed)).toEqual({ 'X-Left': '0' })
    expect(write(refused)).toEqual({ 'X-Left': '0', 'Retry-After': '60' })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['gives nothing', () => undefined],
    ['gives an object', () => ({ 'X-Left': {} })],
    ['gives a line break', () => ({ 'X-Left': '1\r\nSet-Cookie: a=b' })],
    ['gives a wrong name', () => ({ 'X Left': '1' })],
    ['gives no latin-1', () => ({ 'X-Left': '€' })],
  ])('a headers function that %s writes nothing, warns, and fails no request', async (_how, dialect) => {
    const { limiter: make, codes } = world()
    const one = make({ name: 'p', limit: 1, window: 60 })
    const write = headerWriter(dialect as unknown as HeaderDialect, one)
    const [allowed, refused] = (await times(2, one)) as [Decision, Decision]
    expect([write(allowed), write(refused)]).toEqual([{}, { 'Retry-After': '60' }])
    expect(codes()).toEqual(['HALT_W_HEADERS'])
  })
})

describe('an unknown dialect', () => {
  it.each(['draft-5', 'STANDARD', true, null, 5, 'constructor', '__proto__'])(
    'an unknown dialect is refused: %o',
    dialect => {
      const error = mistake(() => headerWriter(dialect as HeaderDialect, world().limiter(bucket)))
      expect(error.code).toBe('HALT_E_HEADERS')
      expect(error.fix).toContain('draft-11')
    },
  )
})
