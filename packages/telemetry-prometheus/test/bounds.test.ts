import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { PrometheusTelemetry } from '../src/index.ts'
import { drive, limiterOf, samples, view } from './traffic.ts'

const [MANY, SAID] = isFull ? [100_000, '100 000'] : [20_000, '20 000']
const api = { name: 'api', limit: 3, window: 60 }

describe('labels', () => {
  it('labels are those that are documented, and no others', async () => {
    const register = new Registry()
    await drive(new PrometheusTelemetry({ register }))
    const names = new Set<string>()
    for (const name of (await samples(register)).keys())
      for (const [, label] of name.matchAll(/[{,](\w+)=/g)) names.add(label as string)
    expect([...names].toSorted()).toEqual(
      [
        'algorithm',
        'failure',
        'le',
        'mode',
        'outcome',
        'policy',
        'reason',
        'store',
        'threshold',
        'why',
      ].toSorted(),
    )
  })

  it(`labels stay as few under ${SAID} routes, keys and methods`, async () => {
    const register = new Registry()
    const limiter = limiterOf(
      { ...api, keyStrategy: 'user', scope: 'route' },
      new PrometheusTelemetry({ register }),
    )
    const ask = (i: number): unknown =>
      limiter.checkView(
        view({ method: `M${i}`, route: `/r/${i}`, path: `/r/${i}`, request: { user: { id: `u${i}` } } }),
      )
    ask(0)
    const few = (await samples(register)).size
    for (let i = 1; i < MANY; i++) ask(i)
    const now = await samples(register)
    expect(now.size).toBe(few)
    expect(
      now.get('halt_checks_total{policy="api",algorithm="token-bucket",outcome="allowed",store="memory"}'),
    ).toBe(MANY)
  })

  it('labels stay bounded when each customer has a policy of its own', async () => {
    const register = new Registry()
    const telemetry = new PrometheusTelemetry({ register, maxPolicies: 10 })
    let customer = 0
    const limiter = limiterOf(() => ({ ...api, name: `c${customer}` }), telemetry)
    for (; customer < 2_000; customer++) await limiter.check(view())
    const checks = [...(await samples(register))].filter(
      ([name]) => name.startsWith('halt_checks_total') && name.includes('outcome="allowed"'),
    )
    expect(checks).toHaveLength(11)
    expect(checks.map(([, value]) => value)).toEqual([...Array<number>(10).fill(1), 1990])
    expect(checks[10]?.[0]).toContain('policy="other"')
    expect((await samples(register)).size).toBeLessThan(120)
  })

  it('labels stay bounded when stores call themselves anything', async () => {
    const register = new Registry()
    const telemetry = new PrometheusTelemetry({ register })
    for (let i = 0; i < 200; i++) {
      const store = { kind: `s${i}`, evaluate: () => Promise.reject(new Error('gone')), forget: () => 0 }
      await limiterOf(api, telemetry, store).check(view())
    }
    const now = await samples(register)
    const errors = [...now].filter(([name, value]) => name.startsWith('halt_store_errors') && value > 0)
    expect(errors).toHaveLength(21)
    expect(now.get('halt_store_errors_total{store="other",failure="unavailable"}')).toBe(180)
    const counted = [...now].filter(([name, value]) => name.startsWith('halt_checks_total') && value > 0)
    expect(counted).toHaveLength(21)
    expect(counted.reduce((sum, [, value]) => sum + value, 0)).toBe(200)
  })

  it('labels never hold a text that a client chose', async () => {
    const register = new Registry()
    const policy = { ...api, keyStrategy: 'composite', onMissingKey: 'deny' } as const
    const limiter = limiterOf(
      [policy, { ...policy, name: 's', mode: 'shadow' }],
      new PrometheusTelemetry({ register }),
    )
    const nasty = 'chosen"\n<script>{}\\'
    for (let i = 0; i < 6; i++)
      await limiter.check(
        view({
          method: 'CHOSEN',
          path: `/chosen${i}`,
          headers: { 'x-api-key': nasty },
          request: { user: { id: nasty } },
        }),
      )
    const text = await register.metrics()
    for (const raw of ['chosen', 'CHOSEN', '<script', '203.0.113']) expect(text, raw).not.toContain(raw)
    expect(text).toContain('outcome="blocked"')
  })
})
