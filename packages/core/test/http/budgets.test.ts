import { describe, expect, it } from 'vitest'

import type { Quota } from '../../src/index.ts'
import { guard, headerWriter, usageOf } from '../../src/http/index.ts'
import { by, mistake, START, world } from '../world.ts'

const day: Quota = { name: 'day', limit: 10, period: 'daily', status: 402, unit: 'usd-micro' }
const ends = START / 1000 + 86_400

describe('a budget with status 402', () => {
  it('a spent budget answers 402 without Retry-After, and says which budget it is and when it begins anew', async () => {
    const limiter = world().limiter([{ name: 'calls', limit: 100, window: 60, keyStrategy: 'user' }, day])
    const { enter } = guard(limiter, { headers: 'draft-11' })
    expect((await enter(by('42'))).status).toBe(200)
    await limiter.consume({ user: '42' }, { cost: { day: 9 } })
    const { status, headers, body } = await enter(by('42'))
    expect([status, Object.keys(headers)]).toEqual([402, ['RateLimit-Policy', 'RateLimit', 'Cache-Control']])
    expect(headers['RateLimit-Policy']).toBe('"calls";q=100;w=60, "day";q=10;qu="usd-micro"')
    expect(body?.data).toEqual({
      error: 'budget_exceeded',
      message: 'The budget "day" is used up. It begins anew at 2026-11-25T00:00:00Z.',
      policy: 'day',
      reset_at: ends,
      retry_after: null,
    })
  })

  it('a spent budget says so in problem details, and in detail', async () => {
    const limiter = world().limiter(day)
    await limiter.consume({ user: '42' }, { cost: 10 })
    const problem = await guard(limiter, { errorFormat: 'problem', statusCode: 420 }).enter(by('42'))
    expect(problem.body?.data).toMatchObject({
      title: 'Payment Required',
      status: 402,
      retry_after: null,
      reset_at: ends,
      'violated-policies': ['day'],
    })
    const detailed = await guard(limiter, { errorFormat: 'detailed' }).enter(by('42'))
    expect(detailed.body?.data).toMatchObject({
      error: 'budget_exceeded',
      reason: 'quota-exceeded',
      limit: 10,
    })
  })

  it('a call that costs more than the whole budget gets 402 too', async () => {
    const limiter = world().limiter(day)
    const { status, body } = await guard(limiter, { cost: 11 }).enter(by('42'))
    expect([status, body?.data['message']]).toEqual([
      402,
      'This request costs more than the whole budget "day".',
    ])
  })

  it('a refusal is 429 where another policy binds, or where the budget does not say 402', async () => {
    const own = world()
    const calls = { name: 'calls', limit: 1, window: '2d', keyStrategy: 'user' } as const
    const { enter } = guard(own.limiter([calls, day]))
    await enter(by('42'))
    const { status, headers } = await enter(by('42'))
    expect([status, headers['Retry-After']]).toEqual([429, '172800'])
    const plain = guard(own.limiter({ ...day, name: 'plain', status: undefined, limit: 1 }))
    await plain.enter(by('42'))
    const refused = await plain.enter(by('42'))
    expect([refused.status, refused.headers['Retry-After']]).toEqual([429, '86400'])
  })

  it('a spent budget keeps its status and body, and sends no header but Cache-Control, under headers: false', async () => {
    const limiter = world().limiter({ ...day, limit: 1 })
    const { enter } = guard(limiter, { headers: false })
    const passed = await enter(by('42'))
    expect([passed.status, passed.headers]).toEqual([200, {}])
    const { status, headers, body } = await enter(by('42'))
    expect([status, headers]).toEqual([402, { 'Cache-Control': 'no-store' }])
    expect(body?.data).toMatchObject({ error: 'budget_exceeded', policy: 'day', reset_at: ends })
  })
})

it('usage, explain and headers tell the unit, and what calls hold', async () => {
  const limiter = world().limiter([
    day,
    { name: 'tokens', limit: 50, window: 60, unit: 'tokens', keyStrategy: 'user' },
  ])
  const call = await limiter.reserve(by('42'), { cost: { day: 4, tokens: 7 }, ttl: '2m' })
  expect((await usageOf(limiter, by('42'))).body.limits).toMatchObject([
    { policy: 'day', unit: 'usd-micro', remaining: 6, held: 4 },
    { policy: 'tokens', unit: 'tokens', remaining: 43 },
  ])
  expect(String(await limiter.explain({ user: '42' }))).toContain('6 of 10 usd-micro left')
  // Money is neither requests nor tokens.
  expect(headerWriter('openai', limiter)(call.decision)).toEqual({
    'x-ratelimit-limit-tokens': '50',
    'x-ratelimit-remaining-tokens': '43',
    'x-ratelimit-reset-tokens': '9s',
  })
})

it('a header never tells more than a structured one can hold', async () => {
  const { store, limiter } = world()
  const huge: Quota = { name: 'huge', limit: 999_999_999_999_999, period: 'daily' }
  const own = limiter(huge)
  const { QuotaManager } = await import('../../src/index.ts')
  await new QuotaManager(store).grantQuota('42', huge, 999_999_999_999_999)
  const decision = await own.consume({ user: '42' })
  expect(decision.limit).toBe(1_999_999_999_999_998)
  expect(headerWriter('draft-11', own)(decision)).toMatchObject({
    'RateLimit-Policy': '"huge";q=999999999999999',
    RateLimit: '"huge";r=999999999999999;t=86400',
  })
})

describe('the fields', () => {
  it.each([400, '402', null, 503])('a quota refuses a status of %o', status => {
    expect(mistake(() => world().limiter({ ...day, status: status as never })).code).toBe('HALT_E_STATUS')
  })

  it.each(['', 'a"b', 'ü', 'x'.repeat(33), 5, null])('a quota refuses a unit of %o', unit => {
    expect(mistake(() => world().limiter({ ...day, unit: unit as never })).code).toBe('HALT_E_UNIT')
  })

  it('a policy without a period refuses a status', () => {
    const bucket = { name: 'p', limit: 1, window: 60, status: 402 } as const
    expect(mistake(() => world().limiter(bucket as never)).code).toBe('HALT_E_UNKNOWN_FIELD')
  })
})
