import { describe, expect, it, vi } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { by, CLIENT, times, view, world } from '../world.ts'

type Extractor = NonNullable<Policy['keyExtractor']>
const extracting = (keyExtractor: unknown, more: Partial<Policy> = {}): Policy =>
  ({ name: 'p', limit: 2, window: 60, keyExtractor: keyExtractor as Extractor, ...more }) as Policy
const FALLBACK = `ip:${CLIENT}`

describe('a key extractor', () => {
  it('a key extractor returns the key, synchronous or asynchronous, and overrides the strategy', async () => {
    for (const keyExtractor of [() => 'acme', () => Promise.resolve('acme'), async () => 'acme']) {
      const { limiter } = world()
      const decision = await limiter(extracting(keyExtractor, { keyStrategy: 'user' })).check(by('42'))
      expect(decision.key).toBe('custom:acme')
    }
  })

  it('a key extractor gets the framework’s own request', async () => {
    const request = { tenant: 'acme' }
    const keyExtractor = vi.fn<(given: { tenant: string }) => string>(given => given.tenant)
    const decision = await world().limiter(extracting(keyExtractor)).check(view({ request }))
    expect(keyExtractor.mock.calls[0]?.[0]).toBe(request)
    expect(decision.key).toBe('custom:acme')
  })

  it.each([
    [0, 'custom:0'],
    ['0', 'custom:0'],
    [42, 'custom:42'],
    [42n, 'custom:42'],
    ['__proto__', 'custom:__proto__'],
    ['constructor', 'custom:constructor'],
    ['a:b', 'custom:a:b'],
    ['Ünïcode', 'custom:Ünïcode'],
    [' x ', 'custom: x '],
  ])('a key extractor may return the id %o', async (id, key) => {
    expect(
      (
        await world()
          .limiter(extracting(() => id))
          .check(view())
      ).key,
    ).toBe(key)
  })

  it('a key extractor that returns an object is warned of, and the address is counted', async () => {
    const { limiter, codes } = world()
    const one = limiter(extracting(() => ({ user: '1' }) as unknown as string))
    expect((await one.check(view())).key).toBe(`ip:${CLIENT}`)
    expect(codes()).toEqual(['HALT_W_KEY_EXTRACTOR'])
  })

  it.each([
    undefined,
    null,
    '',
    '  ',
    '\t\n',
    Number.NaN,
    Infinity,
    true,
    {},
    [],
    ['a'],
    Symbol('s'),
    () => 'x',
  ])('a key extractor that returns %o found no key, so the address is counted', async nothing => {
    for (const keyExtractor of [() => nothing, async () => nothing]) {
      const limiter = world().limiter(extracting(keyExtractor))
      const decisions = await times(3, limiter)
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false])
      expect(decisions[0]?.key).toBe(FALLBACK)
    }
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no tenant')
      },
    ],
    [
      'throws no error',
      () => {
        throw 'no tenant'
      },
    ],
    ['rejects', () => Promise.reject(new Error('no tenant'))],
  ] as const)('a key extractor that %s counts the address and warns once', async (_how, keyExtractor) => {
    const { limiter, warnings } = world()
    const decisions = await times(3, limiter(extracting(keyExtractor)))
    expect(decisions.map(({ allowed, key }) => [allowed, key])).toEqual([
      [true, FALLBACK],
      [true, FALLBACK],
      [false, FALLBACK],
    ])
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_KEY_EXTRACTOR'])
    expect(warnings[0]?.message).toMatch(/"p" failed: no tenant/)
  })

  it('a key extractor that returns an invalid key is warned of, and one that returns none is not', async () => {
    for (const value of [{}, Number.NaN, true, Symbol('key'), () => 'key', ' ']) {
      const { limiter, codes } = world()
      const decision = await limiter(extracting(() => value as never)).check(view())
      expect([decision.key, codes()]).toEqual([FALLBACK, ['HALT_W_KEY_EXTRACTOR']])
    }
    for (const value of [undefined, null, false, '']) {
      const { limiter, codes } = world()
      const decision = await limiter(extracting(() => value as never)).check(view())
      expect([decision.key, codes()]).toEqual([FALLBACK, []])
    }
  })

  it('a key extractor that never settles is abandoned after callbackTimeout', async () => {
    vi.useFakeTimers()
    try {
      const { limiter, codes } = world()
      const asked = limiter(
        extracting(() => new Promise(() => {})),
        { callbackTimeout: '50ms' },
      ).check(view())
      let decided = false
      void asked.then(() => (decided = true))
      await vi.advanceTimersByTimeAsync(49)
      expect(decided).toBe(false)
      await vi.advanceTimersByTimeAsync(2)
      expect((await asked).key).toBe(FALLBACK)
      expect(codes()).toEqual(['HALT_W_KEY_EXTRACTOR'])
    } finally {
      vi.useRealTimers()
    }
  })

  it('slow key extractors of two policies run at the same time', async () => {
    vi.useFakeTimers()
    try {
      const slow = (): Promise<string> => new Promise(resolve => setTimeout(() => resolve('acme'), 40))
      const asked = world()
        .limiter([extracting(slow), extracting(slow, { name: 'other' })])
        .check(view())
      await vi.advanceTimersByTimeAsync(41)
      expect((await asked).verdicts.map(({ key }) => key)).toEqual(['custom:acme', 'custom:acme'])
    } finally {
      vi.useRealTimers()
    }
  })
})
