import { describe, expect, it, vi } from 'vitest'

import type { Policy } from '../src/index.ts'
import { admitted, by, CLIENT, times, view, world } from './world.ts'

type Extractor = NonNullable<Policy['keyExtractor']>

const extracting = (keyExtractor: unknown, more: Partial<Policy> = {}): Policy =>
  ({ name: 'p', limit: 2, window: 60, keyExtractor: keyExtractor as Extractor, ...more }) as Policy
const named = (more: Partial<Policy> = {}): Policy =>
  ({ name: 'p', limit: 2, window: 60, keyStrategy: 'user', ...more }) as Policy
const FALLBACK = `ip:${CLIENT}`

describe('a key extractor', () => {
  it('gives the key, at once or later, and wins over the strategy', async () => {
    for (const keyExtractor of [() => 'acme', () => Promise.resolve('acme'), async () => 'acme']) {
      const { limiter } = world()
      const decision = await limiter(extracting(keyExtractor, { keyStrategy: 'user' })).check(by('42'))
      expect(decision.key).toBe('custom:acme')
    }
  })

  it('gets the framework’s own request', async () => {
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
  ])('may give the id %o', async (id, key) => {
    expect(
      (
        await world()
          .limiter(extracting(() => id))
          .check(view())
      ).key,
    ).toBe(key)
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
  ])('that gives %o has found no key: the address is counted', async nothing => {
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
  ] as const)('that %s counts the address and warns once, with the reason', async (_how, keyExtractor) => {
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

  it('that never settles is given up after callbackTimeout', async () => {
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

  it('that is slow makes two policies wait once, not one after the other', async () => {
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

describe('without a key', () => {
  it('the address is counted by default, apart from keys of that text', async () => {
    const limiter = world().limiter(named())
    expect(await admitted(3, limiter)).toBe(2)
    expect(await admitted(3, limiter, by(CLIENT))).toBe(2)
    expect(await admitted(3, limiter, by(FALLBACK))).toBe(2)
  })

  it('"deny" refuses, and charges nobody', async () => {
    const plain: Policy = { name: 'plain', limit: 5, window: 60 }
    const limiter = world().limiter([plain, named({ onMissingKey: 'deny' })])
    const refused = await limiter.check(view())
    expect(refused).toMatchObject({
      allowed: false,
      reason: 'missing-key',
      policy: 'p',
      retryAfter: 0,
      remaining: 0,
    })
    expect((await limiter.check(by('42'))).verdicts.map(({ remaining }) => remaining)).toEqual([4, 1])
  })

  it('"allow" leaves this policy out, and counts the others', async () => {
    const plain: Policy = { name: 'plain', limit: 5, window: 60 }
    const limiter = world().limiter([plain, named({ onMissingKey: 'allow' })])
    const decisions = await times(6, limiter)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true, false])
    expect(decisions[0]?.verdicts.map(({ policy }) => policy)).toEqual(['plain'])
  })

  it('"allow" of the only policy is an exempt request', async () => {
    const limiter = world().limiter(named({ onMissingKey: 'allow' }))
    expect(await limiter.check(view())).toMatchObject({ allowed: true, reason: 'exempt', verdicts: [] })
  })

  it.each(['deny', 'allow', 'ip'] as const)(
    '"%s" is done for a key that comes late and is none',
    async onMissingKey => {
      const plain: Policy = { name: 'plain', limit: 5, window: 60 }
      const late = extracting(async () => undefined, { name: 'late', onMissingKey })
      const decision = await world().limiter([late, plain]).check(view())
      const policies = { deny: ['late'], allow: ['plain'], ip: ['late', 'plain'] }[onMissingKey]
      expect(decision.verdicts.map(({ policy }) => policy)).toEqual(policies)
      expect(decision.allowed).toBe(onMissingKey !== 'deny')
    },
  )

  it('a policy that only reports refuses nobody', async () => {
    const limiter = world().limiter(named({ mode: 'shadow', onMissingKey: 'deny' }))
    expect((await limiter.check(view())).allowed).toBe(true)
  })

  it('a policy that is off or exempts the request asks for no key', async () => {
    const keyExtractor = vi.fn<() => string>(() => 'x')
    const { limiter } = world()
    await limiter(extracting(keyExtractor, { mode: 'off' })).check(view())
    await limiter(extracting(keyExtractor, { exemptions: ['/things'] })).check(view())
    await limiter(extracting(keyExtractor)).check(view({ path: '/health' }))
    expect(keyExtractor).not.toHaveBeenCalled()
  })
})

describe('a policy that never finds a key', () => {
  it('is warned of after 100 requests without one success', async () => {
    const { limiter, warnings } = world()
    const users = limiter(named())
    await times(99, users)
    expect(warnings).toEqual([])
    await times(2, users)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_KEY_NEVER_FOUND'])
    expect(warnings[0]?.message).toContain('"p"')
    expect(warnings[0]?.fix).toMatch(/userId/)
  })

  it('is not warned of once it has found one', async () => {
    const { limiter, warnings } = world()
    const users = limiter(named())
    await times(50, users)
    await users.check(by('42'))
    await times(150, users)
    expect(warnings).toEqual([])
  })

  it('is warned of whatever is done without the key, and when a resolver lists it anew each time', async () => {
    const policy = named({ onMissingKey: 'deny' })
    for (const given of [policy, () => policy, () => [policy]]) {
      const { limiter, codes } = world()
      await times(101, limiter(given as Policy))
      expect(codes()).toEqual(['HALT_W_KEY_NEVER_FOUND'])
    }
  })
})
