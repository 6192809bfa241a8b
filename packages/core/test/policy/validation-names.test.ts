import { describe, expect, it } from 'vitest'

import type { HaltError, Policy, Quota } from '../../src/index.ts'
import { mistake, world } from '../world.ts'

/** The error of a limiter whose policy is valid except for some changed fields. */
const refused = (changes: Record<string, unknown>): HaltError =>
  mistake(() => world().limiter({ name: 'api', limit: 10, window: 60, ...changes } as unknown as Policy))
const refusedQuota = (changes: Record<string, unknown>): HaltError =>
  mistake(() => world().limiter({ name: 'q', limit: 10, period: 'monthly', ...changes } as unknown as Quota))
const accepted = (changes: Record<string, unknown>): boolean =>
  world().limiter({ name: 'api', limit: 10, window: 60, ...changes } as unknown as Policy).policies.length ===
  1

describe('names and choices', () => {
  it.each([
    '',
    ' ',
    'a b',
    'a:b',
    'a@b',
    'é',
    '"x"',
    'a\r\nb',
    'a{b}',
    'x'.repeat(65),
    undefined,
    null,
    5,
    {},
  ])('a policy refuses the name %o, because a header, a key or a label would have to escape it', name => {
    expect(refused({ name }).code).toBe('HALT_E_POLICY_NAME')
    if (name !== undefined) expect(refused({ counter: name }).code).toBe('HALT_E_POLICY_NAME')
  })

  it.each(['a', 'A-b_c.9', 'x'.repeat(64), '__proto__', 'constructor'])('the name %s is accepted', name => {
    expect(accepted({ name })).toBe(true)
  })

  it.each([
    ['algorithm', 'leaky-bucket', 'HALT_E_ALGORITHM'],
    ['algorithm', 'TOKEN_BUCKET', 'HALT_E_ALGORITHM'],
    ['algorithm', 'toString', 'HALT_E_ALGORITHM'],
    ['algorithm', null, 'HALT_E_ALGORITHM'],
    ['keyStrategy', 'api_key', 'HALT_E_KEY_STRATEGY'],
    ['keyStrategy', null, 'HALT_E_KEY_STRATEGY'],
    ['keyExtractor', 'user.id', 'HALT_E_KEY_EXTRACTOR'],
    ['onMissingKey', 'fallback', 'HALT_E_MISSING_KEY'],
    ['scope', 'path', 'HALT_E_SCOPE'],
    ['onStoreError', 'fail', 'HALT_E_ON_STORE_ERROR'],
    ['mode', 'dry-run', 'HALT_E_MODE'],
    ['mode', null, 'HALT_E_MODE'],
    ['mode', {}, 'HALT_E_MODE'],
    ['mode', { shadow: 1.1 }, 'HALT_E_MODE'],
    ['mode', { shadow: Number.NaN }, 'HALT_E_MODE'],
    ['mode', { shadow: 0.5, enforce: 0.5 }, 'HALT_E_MODE'],
    ['exemptPrivateIps', 'yes', 'HALT_E_EXEMPTION'],
    ['plan', 7, 'HALT_E_PLAN'],
  ])('a policy refuses %s: %o', (field, value, code) => {
    expect(refused({ [field]: value }).code).toBe(code)
  })

  it.each([
    'not-an-address',
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0.0/-1',
    '010.0.0.1',
    '127.1',
    '/',
    '/a/../b',
    '/%61',
    '//a',
    '',
    7,
    null,
  ])('a policy refuses the exemption %o', entry => {
    expect(refused({ exemptions: [entry] }).code).toBe('HALT_E_EXEMPTION')
  })

  it.each(['/admin', {}, 5, '', null])('a policy refuses %o in place of a list of exemptions', exemptions => {
    expect(refused({ exemptions }).code).toBe('HALT_E_EXEMPTION')
  })
})

describe('a mistake in one of several policies', () => {
  it('a mistake in one of several policies names the policy', () => {
    const [good, wrong] = [
      { name: 'good', limit: 1, window: 1 },
      { name: 'b', limit: '10', window: 60 },
    ]
    const make = (): unknown => world().limiter([good, wrong as unknown as Policy])
    expect(mistake(make)).toMatchObject({
      code: 'HALT_E_LIMIT',
      summary: 'The policy "b": limit is "10".',
    })
    expect(
      mistake(() => world().limiter([good, { ...good, name: 'c', windowMs: 5 } as Policy])).summary,
    ).toBe('The policy "c" has an unknown field "windowMs".')
  })

  it('a mistake says that "concurrency" has a ttl if it got a window', () => {
    expect(refused({ algorithm: 'concurrency' }).message).toContain(
      'concurrency does not take window. Give ttl',
    )
  })
})

describe('unknown fields', () => {
  it.each([
    ['windowMs', 'window'],
    ['windowMS', 'window'],
    ['max', 'limit'],
    ['limits', 'limit'],
    ['keyGenerator', '"keyExtractor"'],
    ['timeWindow', '"window"'],
    ['points', '"limit"'],
    ['shadow', '"mode"'],
    ['blockduration', 'blockDuration'],
    ['bust', ''],
  ])('a policy refuses the unknown field %s and suggests the field that was meant', (field, meant) => {
    const error = refused({ [field]: 60_000 })
    expect(error.code).toBe('HALT_E_UNKNOWN_FIELD')
    expect(error.message).toContain(`"${field}"`)
    expect(error.fix).toContain(meant)
  })

  it('a policy treats undefined as absent, for known and unknown fields', () => {
    expect(
      accepted({ burst: undefined, blockDuration: undefined, mode: undefined, windowMs: undefined }),
    ).toBe(true)
  })

  it('a rate policy refuses the fields of a quota, and the reverse', () => {
    expect(refused({ timeZone: 'UTC' }).code).toBe('HALT_E_UNKNOWN_FIELD')
    expect(refusedQuota({ burst: 60 }).code).toBe('HALT_E_UNKNOWN_FIELD')
  })
})
