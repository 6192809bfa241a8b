import { describe, expect, it } from 'vitest'

import { presets, RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { LIMITER_OPTIONS } from '../../src/http/index.ts'
import { mistake, type Options, view, world } from '../world.ts'

const code = (options: Record<string, unknown>): string =>
  mistake(() => world().limiter(presets.PUBLIC_API, options as Options)).code

describe('the options of a limiter', () => {
  it.each([
    ['store', undefined, 'HALT_E_STORE_OPTION'],
    ['store', null, 'HALT_E_STORE_OPTION'],
    ['store', {}, 'HALT_E_STORE_OPTION'],
    ['store', 'redis://localhost', 'HALT_E_STORE_OPTION'],
    ['trustedProxies', true, 'HALT_E_TRUSTED_PROXIES'],
    ['trustedProxies', 1, 'HALT_E_TRUSTED_PROXIES'],
    ['trustedProxies', ['0.0.0.0/0'], 'HALT_E_TRUSTED_PROXIES'],
    ['trustedProxies', ['::ffff:0:0/95'], 'HALT_E_TRUSTED_PROXIES'],
    ['clientIpHeader', 'x forwarded for', 'HALT_E_CLIENT_IP_HEADER'],
    ['clientIp', '203.0.113.7', 'HALT_E_OPTION'],
    ['userId', 'id', 'HALT_E_OPTION'],
    ['apiKey', 'x-api-key', 'HALT_E_OPTION'],
    ['warn', true, 'HALT_E_OPTION'],
    ['telemetry', 'pino', 'HALT_E_OPTION'],
    ['exemptPrivateIps', 'no', 'HALT_E_OPTION'],
    ['exemptHealthChecks', 'no', 'HALT_E_EXEMPTION'],
    ['exemptHealthChecks', ['health'], 'HALT_E_EXEMPTION'],
    ['ipv6Prefix', 31, 'HALT_E_OPTION'],
    ['ipv6Prefix', 129, 'HALT_E_OPTION'],
    ['ipv6Prefix', '56', 'HALT_E_OPTION'],
    ['ipv6Prefix', Number.NaN, 'HALT_E_OPTION'],
    ['keysPerAddress', 0, 'HALT_E_OPTION'],
    ['keysPerAddress', Infinity, 'HALT_E_OPTION'],
    ['keysPerAddress', 1_000_001, 'HALT_E_OPTION'],
    ['instances', 0, 'HALT_E_OPTION'],
    ['instances', 1_000_001, 'HALT_E_OPTION'],
    ['mostWaiting', -1, 'HALT_E_OPTION'],
    ['mostWaiting', 1_000_001, 'HALT_E_OPTION'],
    ['instances', 'many', 'HALT_E_OPTION'],
    ['storeTimeout', 0, 'HALT_E_DURATION'],
    ['storeTimeout', '100', 'HALT_E_DURATION'],
    ['callbackTimeout', Number.NaN, 'HALT_E_DURATION'],
    ['onStoreError', 'fail', 'HALT_E_ON_STORE_ERROR'],
    ['secret', '', 'HALT_E_SECRET'],
    ['secret', 5, 'HALT_E_SECRET'],
    ['penalty', 5, 'HALT_E_PENALTY'],
    ['penalty', null, 'HALT_E_PENALTY'],
    ['fallbackPolicy', null, 'HALT_E_POLICY'],
    ['fallbackPolicy', { name: 'p', limit: 0, window: 1 }, 'HALT_E_LIMIT'],
    ['trustProxy', ['10.0.0.0/8'], 'HALT_E_UNKNOWN_FIELD'],
    ['policies', [], 'HALT_E_UNKNOWN_FIELD'],
  ])('a limiter refuses %s: %o', (name, value, expected) => {
    expect(code({ [name]: value })).toBe(expected)
  })

  it('a limiter takes options up to their bounds', () => {
    const most = { keysPerAddress: 1e6, instances: 1e6, mostWaiting: 1e6 }
    expect(() => world().limiter(presets.PUBLIC_API, most)).not.toThrow()
    expect(() => world().limiter(presets.PUBLIC_API, { mostWaiting: 0 })).not.toThrow()
  })

  it('a limiter treats undefined as absent', () => {
    const options = Object.fromEntries(
      LIMITER_OPTIONS.filter(name => name !== 'store' && name !== 'policy').map(name => [name, undefined]),
    )
    expect(world().limiter(presets.PUBLIC_API, options).callbackTimeout).toBe(1000)
  })

  it('a limiter refuses options without a policy', () => {
    const { store } = world()
    expect(mistake(() => new RateLimiter({ store } as unknown as RateLimiterOptions)).code).toBe(
      'HALT_E_POLICY',
    )
    expect(mistake(() => new RateLimiter(undefined as unknown as RateLimiterOptions)).code).toBe(
      'HALT_E_OPTION',
    )
    expect(mistake(() => new RateLimiter({ store, policy: 'public_api' } as never)).code).toBe(
      'HALT_E_POLICY',
    )
  })

  it('a limiter suggests the option that was meant', () => {
    const { limiter } = world()
    const error = mistake(() => limiter(presets.PUBLIC_API, { trustedProxy: [] } as unknown as Options))
    expect(error.fix).toContain('trustedProxies')
  })
})

describe('HALT_W_WINDOW_MS', () => {
  it.each([10_000, 60_000, 900_000, 3_600_000])(
    'a window of %d, which was meant as milliseconds, is warned of',
    window => {
      const { limiter, warnings } = world()
      limiter({ name: 'api', limit: 10, window })
      expect(warnings.map(({ code: found }) => found)).toEqual(['HALT_W_WINDOW_MS'])
      expect(warnings[0]?.message).toContain('"api"')
      expect(warnings[0]?.fix).toContain(String(window / 1000))
    },
  )

  it.each([60, 9000, 9999, 10_001, 86_400, '60000s', '10000s'])('a window of %o is not warned of', window => {
    const { limiter, warnings } = world()
    limiter({ name: 'api', limit: 10, window })
    expect(warnings).toEqual([])
  })

  it('a window in milliseconds is warned of in a call, a resolver or a fallback as well', async () => {
    const slow = { name: 'slow', limit: 10, window: 60_000 }
    for (const ask of [
      ({ limiter }: ReturnType<typeof world>) => limiter(presets.PUBLIC_API).check(view(), { policy: slow }),
      ({ limiter }: ReturnType<typeof world>) => limiter(() => [slow]).check(view()),
      ({ limiter }: ReturnType<typeof world>) => limiter(() => presets.PUBLIC_API, { fallbackPolicy: slow }),
    ]) {
      const here = world()
      await ask(here)
      expect(here.codes()).toEqual(['HALT_W_WINDOW_MS'])
    }
  })
})
