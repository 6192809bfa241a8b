import { describe, expect, it } from 'vitest'

import type { Decision, Policy, Quota, RateLimiter } from '../../src/index.ts'
import { guard, isUnavailable, type Outcome, refusalBody, refusalFor } from '../../src/http/index.ts'
import { mistake, type Options, times, view, world } from '../world.ts'

const policy: Policy = { name: 'minute', limit: 1, window: 42, algorithm: 'fixed-window' }
const refused = async (limiter: RateLimiter = world().limiter(policy)): Promise<Decision> =>
  (await times(2, limiter))[1] as Decision

describe('the body of a refusal', () => {
  it('the body of a refusal has the default JSON format', async () => {
    const body = refusalBody(await refused(), 'json', 429)
    expect(body).toEqual({
      type: 'application/json; charset=utf-8',
      text: '{"error":"rate_limit_exceeded","message":"Too many requests. Please try again later.","retry_after":42}',
      data: JSON.parse(body.text),
    })
  })

  it('the detailed body has the reason and the numbers of the binding policy, and not the key', async () => {
    const month: Quota = { name: 'month', limit: 1, period: 'monthly', keyStrategy: 'ip' }
    const decision = await refused(world().limiter([policy, month]))
    const { type, data } = refusalBody(decision, 'detailed', 429)
    expect(type).toBe('application/json; charset=utf-8')
    expect(data).toEqual({
      error: 'rate_limit_exceeded',
      message: "The month's calls are used up. More are allowed from 2026-12-01T00:00:00Z.",
      retry_after: decision.retryAfter,
      reason: 'quota-exceeded',
      policy: 'month',
      limit: 1,
      remaining: 0,
      reset_at: decision.resetAt,
    })
  })

  it('the detailed body names what is used up, for each kind of refusal', async () => {
    const said = (decision: Decision): unknown => refusalBody(decision, 'detailed', 429).data['message']
    const last = async (own: Policy | Quota, options?: Options, cost = 1): Promise<unknown> => {
      const limiter = world().limiter(own, options)
      for (let i = 0; i < 2; i++) await limiter.check(view())
      return said(await limiter.check(view(), { cost }))
    }
    expect(await last(policy)).toBe('The calls of "minute" are used up for now. Try again in 42 seconds.')
    expect(await last({ ...policy, blockDuration: 90 })).toBe(
      '"minute" refuses for a while after too many requests. Try again in 90 seconds.',
    )
    expect(await last(policy, {}, 2)).toBe(
      'This request costs more than the whole limit "minute". No wait helps.',
    )
    const kept = { ...policy, limit: 4, headroom: 0.5 } as const
    expect(await last(kept)).toBe(
      'The rest of "minute" is kept for more important requests. Try again in 42 seconds.',
    )
    expect(await last({ ...policy, keyStrategy: 'user', onMissingKey: 'deny' })).toBe(
      '"minute" needs a request that names its client, such as a signed-in user or an API key.',
    )
    const shared = world()
    const pool = shared.limiter({
      name: 'pool',
      limit: 100,
      window: 1,
      burst: 40,
      keyStrategy: 'shared',
      fair: { by: 'user' },
    })
    for (let i = 0; i < 40; i++) await pool.consume({ user: 'a' })
    await pool.consume({ user: 'b' })
    shared.clock.advance('100ms')
    expect(said(await pool.consume({ user: 'a' }))).toMatch(
      /^The rest of "pool" is for clients that have had less\. Try again in \d+ seconds?\.$/,
    )
    const periods = {
      hourly: 'hour',
      daily: 'day',
      weekly: 'week',
      monthly: 'month',
      yearly: 'year',
    } as const
    for (const [period, name] of Object.entries(periods)) {
      const own = { name: 'q', limit: 1, period, keyStrategy: 'ip', unit: 'tokens' } as Quota
      expect(await last(own)).toMatch(`The ${name}'s tokens are used up. More are allowed from `)
    }
  })

  it('the problem document has the draft’s type and the policies that refused', async () => {
    const limiter = world().limiter([
      policy,
      { ...policy, name: 'hour', window: 3600 },
      { ...policy, name: 'wide', limit: 9 },
      { ...policy, name: 's', mode: 'shadow' },
    ])
    const { type, text, data } = refusalBody(await refused(limiter), 'problem', 429)
    expect(type).toBe('application/problem+json')
    expect(JSON.parse(text)).toEqual(data)
    expect(data).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many requests. Please try again later.',
      retry_after: 3600,
      'violated-policies': ['minute', 'hour'],
    })
  })

  it('the problem document has a type of its own for a penalized client', async () => {
    const { clock, limiter } = world()
    const one = limiter({ ...policy, limit: 10 }, { penalty: { threshold: 1 } })
    await one.check(view(), { cost: 10 })
    await one.check(view())
    clock.advance(42)
    const decision = await one.check(view(), { cost: 6 })
    expect(decision.reason).toBe('penalized')
    expect(refusalBody(decision, 'problem', 429).data['type']).toMatch(/#abnormal-usage-detected$/)
    expect(refusalBody(decision, 'detailed', 429).data['message']).toMatch(
      /^After many refusals, "minute" allows fewer calls for a while\. Try again in \d+ seconds\.$/,
    )
  })

  it('the body of a refusal has a null wait when the request can never pass', async () => {
    const large = await world().limiter(policy).check(view(), { cost: 2 })
    const missing = await world()
      .limiter({ ...policy, keyStrategy: 'user', onMissingKey: 'deny' })
      .check(view())
    for (const decision of [large, missing]) {
      expect(refusalBody(decision, 'json', 429).data).toMatchObject({
        error: 'rate_limit_exceeded',
        retry_after: null,
      })
      expect(refusalBody(decision, 'problem', 429).data).toMatchObject({ retry_after: null })
    }
  })

  it('the body of a refusal does not blame the client when the service is unavailable', async () => {
    const decision = await world()
      .limiter(() => undefined as unknown as Policy)
      .check(view())
    expect(isUnavailable(decision)).toBe(true)
    expect(refusalBody(decision, 'json', 503).data).toMatchObject({
      error: 'service_unavailable',
      retry_after: 1,
    })
    expect(refusalBody(decision, 'problem', 503).data).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
      title: 'Service Unavailable',
      status: 503,
    })
  })
})

describe('a guard’s refusal', () => {
  const second = async (options: Parameters<typeof guard>[1]): Promise<Outcome> => {
    const entering = guard(world().limiter(policy), options)
    await entering.enter(view())
    return entering.enter(view())
  }

  it('a guard’s refusal is 429 with headers, and never cached', async () => {
    const { pass, status, headers, body, decision } = await second({})
    expect({ pass, status }).toEqual({ pass: false, status: 429 })
    expect(headers).toMatchObject({
      'Cache-Control': 'no-store',
      'Retry-After': '42',
      'RateLimit-Remaining': '0',
    })
    expect(body?.data['retry_after']).toBe(42)
    expect(decision?.allowed).toBe(false)
  })

  it('a guard’s refusal uses the status and format of the options', async () => {
    const { status, body } = await second({ statusCode: 420, errorFormat: 'problem' })
    expect(status).toBe(420)
    expect(body?.data).toMatchObject({ status: 420 })
  })

  it('a guard’s refusal is 503 when the service is unavailable, whatever statusCode is', async () => {
    const failing = world().limiter(() => undefined as unknown as Policy)
    expect((await guard(failing, { statusCode: 420 }).enter(view())).status).toBe(503)
  })

  it('a guard’s refusal is the same for a decision that a handler made itself', async () => {
    const limiter = world().limiter(policy)
    const entering = guard(limiter, { errorFormat: 'problem' })
    const requestObject = {}
    await entering.enter(view(), requestObject)
    const decision = await limiter.check(view())
    const { status, headers, body } = entering.refuse(decision)
    expect(refusalFor(requestObject, decision)).toMatchObject({ pass: false, status, headers, body })
    expect(refusalFor({}, decision)).toMatchObject({
      status: 429,
      body: { type: 'application/json; charset=utf-8' },
    })
    expect(refusalFor({}, decision).headers['Retry-After']).toBe('42')
    for (const [request, given] of [
      [undefined, decision],
      [{}, undefined],
      [{}, {}],
      [{}, { allowed: false, quota: {} }],
      [{}, await world().limiter(policy).check(view())],
    ])
      expect(mistake(() => refusalFor(request as object, given as Decision))).toMatchObject({
        code: 'HALT_E_OPTION',
        message: expect.stringMatching(/sendLimited got (no|a decision that allows)/),
      })
  })
})
