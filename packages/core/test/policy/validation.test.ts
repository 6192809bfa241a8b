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

/** Values that are not a number of units. */
const NO_UNITS = [
  Number.NaN,
  null,
  0,
  -1,
  1.5,
  Infinity,
  -Infinity,
  '5',
  'abc',
  '',
  true,
  [],
  {},
  1_000_000_000_000_000,
  2n,
]
/** Values that are not a duration. */
const NO_NUMBERS = [0, -1, Number.NaN, Infinity, 0.0005, 31_622_401, null, true, {}, [60]]
const NO_TEXTS = ['60', '0.5ms', '-1s', '1 year', '1e3s', '0x10s', '1m30s', '367d', 'abc', '']
const NO_DURATIONS = [...NO_NUMBERS, ...NO_TEXTS]

describe('the numbers of a policy', () => {
  it.each(NO_UNITS)('a policy refuses a limit of %o', limit => {
    const error = refused({ limit })
    expect(error.code).toBe('HALT_E_LIMIT')
    expect(error.message).toContain('limit')
    expect(error.fix).toContain('999999999999999')
  })

  it('a policy refuses a missing limit, and explains how to read an environment variable', () => {
    expect(refused({ limit: undefined }).code).toBe('HALT_E_LIMIT')
    expect(refused({ limit: Number(process.env['MISSING_LIMIT']) }).fix).toContain('environment variable')
    expect(refused({ limit: '100' }).fix).toContain('Number(')
  })

  it.each(NO_UNITS)('a policy refuses a cost of %o', cost => {
    expect(refused({ cost }).code).toBe('HALT_E_COST')
  })

  it.each(NO_UNITS)('a policy refuses a burst of %o', burst => {
    expect(refused({ burst }).code).toBe('HALT_E_BURST')
  })

  it.each(NO_DURATIONS)('a policy refuses a window of %o', window => {
    const error = refused({ window })
    expect(error.code).toBe('HALT_E_WINDOW')
    expect(error.message).toContain('1 ms to 366 days')
  })

  it.each(NO_DURATIONS)('a policy refuses a blockDuration of %o', blockDuration => {
    expect(refused({ blockDuration }).code).toBe('HALT_E_BLOCK_DURATION')
  })

  it('a policy refuses a missing window or ttl, and says what to give', () => {
    expect(refused({ window: undefined })).toMatchObject({
      code: 'HALT_E_WINDOW',
      fix: 'Give window: "1m".',
    })
    expect(refused({ algorithm: 'concurrency', window: undefined })).toMatchObject({
      code: 'HALT_E_WINDOW',
      fix: 'Give ttl: "1m", the longest that a request takes.',
    })
  })

  it.each([0, 1001, 1.5, Number.NaN, '10', null])('a policy refuses a precision of %o', precision => {
    expect(refused({ algorithm: 'sliding-window', precision }).code).toBe('HALT_E_PRECISION')
  })

  it('the numbers of a policy can be as large and as small as documented', () => {
    expect(accepted({ limit: 2 ** 31, window: 1 })).toBe(true)
    for (const algorithm of ['fixed-window', 'sliding-window'])
      expect(accepted({ limit: 999_999_999_999_999, window: '366d', algorithm })).toBe(true)
    expect(accepted({ limit: 60_000_000_000_000, window: '1m' })).toBe(true)
    expect(accepted({ limit: 1, window: '1ms' })).toBe(true)
    expect(accepted({ limit: 1, window: 0.001 })).toBe(true)
    expect(accepted({ algorithm: 'sliding-window', precision: 1000 })).toBe(true)
    expect(accepted({ algorithm: 'sliding-window', precision: 1 })).toBe(true)
  })
})

describe('fields that do not go together', () => {
  it.each(['fixed-window', 'sliding-window'])('a policy refuses a burst on %s', algorithm => {
    expect(refused({ algorithm, burst: 20 }).code).toBe('HALT_E_BURST')
  })

  it.each(['token-bucket', 'fixed-window', 'concurrency'])('a precision on %s is refused', algorithm => {
    const time = algorithm === 'concurrency' ? { window: undefined, ttl: 60 } : {}
    expect(refused({ algorithm, ...time, precision: 10 }).code).toBe('HALT_E_PRECISION')
  })

  it('a policy refuses a cost with which no request could pass', () => {
    expect(refused({ limit: 100, burst: 10, cost: 11 }).code).toBe('HALT_E_BURST')
    expect(refused({ limit: 10, cost: 11 }).code).toBe('HALT_E_COST')
    expect(refused({ limit: 10, cost: 11, algorithm: 'fixed-window' }).code).toBe('HALT_E_COST')
    expect(refusedQuota({ cost: 11 }).code).toBe('HALT_E_COST')
    expect(accepted({ limit: 10, burst: 15, cost: 15 })).toBe(true)
  })

  it('a policy allows a burst below and above the limit', () => {
    expect(accepted({ limit: 600, burst: 10 })).toBe(true)
    expect(accepted({ limit: 600, burst: 6000 })).toBe(true)
  })

  it('a policy requires a ttl for concurrency, and refuses it otherwise', () => {
    expect(refused({ algorithm: 'concurrency' }).code).toBe('HALT_E_WINDOW')
    expect(refused({ algorithm: 'concurrency', window: 60, ttl: 60 }).fix).toContain('ttl')
    expect(refused({ ttl: 60 }).fix).toContain('window')
    expect(refused({ algorithm: 'concurrency', window: undefined, ttl: 60, burst: 5 }).code).toBe(
      'HALT_E_BURST',
    )
    expect(accepted({ algorithm: 'concurrency', window: undefined, ttl: 60 })).toBe(true)
  })

  it('a policy refuses a custom key without an extractor', () => {
    expect(refused({ keyStrategy: 'custom' }).code).toBe('HALT_E_KEY_EXTRACTOR')
    expect(accepted({ keyStrategy: 'custom', keyExtractor: () => 'x' })).toBe(true)
    expect(accepted({ keyExtractor: () => 'x' })).toBe(true)
  })
})

describe('quotas', () => {
  it.each([
    ['period', 'fortnightly', 'HALT_E_PERIOD'],
    ['period', null, 'HALT_E_PERIOD'],
    ['timeZone', 'Mars/Olympus', 'HALT_E_TIME_ZONE'],
    ['anchor', new Date(Number.NaN), 'HALT_E_ANCHOR'],
    ['anchor', '2026-01-31', 'HALT_E_ANCHOR'],
    ['thresholds', 'x', 'HALT_E_THRESHOLDS'],
    ['thresholds', [0], 'HALT_E_THRESHOLDS'],
    ['thresholds', [1.5], 'HALT_E_THRESHOLDS'],
    ['limit', Number.NaN, 'HALT_E_LIMIT'],
  ])('a quota refuses %s: %o', (field, value, code) => {
    expect(refusedQuota({ [field]: value }).code).toBe(code)
    expect(refusedQuota({ [field]: value, mode: { shadow: 0.5 } }).code).toBe(code)
  })
})

describe('a limiter’s policy option', () => {
  it.each(['public_api', 5, null, [], [null], [[]]])('a limiter refuses a policy option of %o', policy => {
    expect(mistake(() => world().limiter(policy as unknown as Policy)).code).toBe('HALT_E_POLICY')
  })
})

describe('a policy that can never pass', () => {
  it.each([
    [{ limit: 10, window: 1, burst: 1, headroom: 0.2 }, 'leaves 0 of 1 units, and a request costs 1'],
    [{ headroom: 1 }, 'leaves 0 of 10 units'],
    [{ headroom: 0.5, cost: 6 }, 'leaves 5 of 10 units, and a request costs 6'],
    [
      { algorithm: 'concurrency', window: undefined, ttl: 60, limit: 1, headroom: 0.1 },
      'leaves 0 of 1 units',
    ],
  ])('a policy that can never pass is refused: %o', (changes, said) => {
    const error = refused(changes)
    expect(error.code).toBe('HALT_E_HEADROOM')
    expect(error.message).toContain(said)
  })

  it('a policy that can never pass is told from one that can, to the unit', () => {
    expect(accepted({ headroom: 0.9 })).toBe(true)
    expect(accepted({ headroom: 0.5, cost: 5 })).toBe(true)
    expect(accepted({ headroom: () => 1 })).toBe(true)
  })

  it('a policy refuses changed numbers under which no request can pass', () => {
    const limiter = world().limiter({ name: 'api', limit: 10, window: 60, headroom: 0.5 })
    const [policy] = limiter.policies
    expect(mistake(() => policy?.with({ burst: 1 })).code).toBe('HALT_E_HEADROOM')
    // One of two units is left.
    expect(policy?.with({ burst: 2 }).capacity).toBe(2)
  })
})

it('a window beside a period is refused, and the error says so', () => {
  const error = refusedQuota({ window: '1m' })
  expect(error.code).toBe('HALT_E_WINDOW')
  expect(error.message).toMatch(/"q" has a window beside its period.*two policies/)
})
