import { describe, expect, it } from 'vitest'

import { type Policy, PolicyRegistry, presets, type Quota } from '../../src/index.ts'
import { admitted, mistake, times, view, world } from '../world.ts'

const one: Policy = { name: 'one', limit: 4, window: 60, algorithm: 'fixed-window' }

describe('PolicyRegistry', () => {
  it('PolicyRegistry holds policies by name', () => {
    const registry = new PolicyRegistry([one, presets.PUBLIC_API])
    expect(registry.get('one')).toEqual(one)
    expect(registry.list().map(({ name }) => name)).toEqual(['one', 'public_api'])
    expect([registry.has('one'), registry.has('two'), registry.has('constructor')]).toEqual([
      true,
      false,
      false,
    ])
    expect([registry.remove('one'), registry.remove('one'), registry.has('one')]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('PolicyRegistry refuses two policies with the same name', () => {
    const make = (): unknown => new PolicyRegistry([one, { ...one, limit: 9 }])
    expect(mistake(make).code).toBe('HALT_E_DUPLICATE_POLICY')
  })

  it.each(['two', 'constructor', '__proto__', ''])('get refuses %o, and lists the known names', name => {
    const error = mistake(() => new PolicyRegistry([one]).get(name))
    expect(error.code).toBe('HALT_E_UNKNOWN_POLICY')
    expect(error.fix).toContain('one')
  })

  it.each([
    [{ ...one, limit: Number.NaN }, 'HALT_E_LIMIT'],
    [{ name: 'p', limit: 2 ** 31, window: '366d', algorithm: 'token-bucket' }, 'HALT_E_ARITHMETIC'],
    [{ name: 'q', limit: 1, period: 'daily', timeZone: 'Mars' }, 'HALT_E_TIME_ZONE'],
    [{ ...one, exemptions: ['010.0.0.1'] }, 'HALT_E_EXEMPTION'],
  ] as [Policy | Quota, string][])(
    'PolicyRegistry refuses a wrong policy when it comes, not when a request does: %o',
    (policy, code) => {
      const registry = new PolicyRegistry([one])
      expect(mistake(() => registry.register(policy)).code).toBe(code)
      const { name: _name, ...changes } = policy
      expect(mistake(() => registry.update('one', changes as Policy)).code).toMatch(/^HALT_E_/)
      expect(registry.get('one')).toEqual(one)
      expect(registry.list()).toHaveLength(1)
    },
  )

  it('PolicyRegistry does not change with the objects that it gets', () => {
    const mine = { ...one }
    const registry = new PolicyRegistry([mine])
    mine.limit = 1000
    expect(registry.get('one').limit).toBe(4)
    expect(Object.isFrozen(registry.get('one'))).toBe(true)
  })

  it('PolicyRegistry rescales the burst with the limit, unless the update has a burst', () => {
    const registry = new PolicyRegistry([presets.PUBLIC_API])
    expect(registry.update('public_api', { limit: 200 })).toMatchObject({ limit: 200, burst: 240 })
    expect(registry.update('public_api', { burst: 200 })).toMatchObject({ limit: 200, burst: 200 })
  })

  it('PolicyRegistry keeps name and counter in an update', () => {
    const registry = new PolicyRegistry([presets.PLAN_FREE])
    const changes = { name: 'other', counter: 'other', limit: 5 } as Partial<Policy>
    expect(registry.update('free_plan', changes)).toMatchObject({
      name: 'free_plan',
      counter: 'plan',
      limit: 5,
    })
  })

  it('PolicyRegistry updates quotas too', () => {
    const registry = new PolicyRegistry([presets.QUOTA_FREE_DAILY])
    expect(registry.update('free_daily_requests', { limit: 7 })).toMatchObject({ limit: 7, period: 'daily' })
  })
})

describe('a limiter with a registry', () => {
  it('a limiter applies a change of its registry to the next request, and keeps used units', async () => {
    const registry = new PolicyRegistry([one])
    const limiter = world().limiter(registry.resolver(() => 'one'))
    expect(await admitted(6, limiter)).toBe(4)
    registry.update('one', { limit: 6 })
    expect(await limiter.check(view())).toMatchObject({ allowed: true, limit: 6, remaining: 1 })
    registry.update('one', { limit: 2 })
    expect(await limiter.check(view())).toMatchObject({ allowed: false, limit: 2, remaining: 0 })
  })

  it('a limiter starts a new counter after a change of the algorithm, without an error', async () => {
    const registry = new PolicyRegistry([one])
    const { limiter, codes } = world()
    const live = limiter(registry.resolver(() => 'one'))
    await admitted(6, live)
    registry.update('one', { algorithm: 'sliding-window' })
    expect(await admitted(6, live)).toBe(4)
    expect(codes()).toEqual([])
  })

  it('a resolver of a registry accepts one name or several, as a value or a promise', async () => {
    const registry = new PolicyRegistry([one, presets.PUBLIC_API])
    // Like the query of a database library, it is not a Promise but behaves as one.
    // oxlint-disable-next-line unicorn/no-thenable -- the test needs a thenable
    const query = { then: (told: (names: string[]) => void) => told(['one', 'public_api']) }
    const later = (): Promise<string[]> => query as unknown as Promise<string[]>
    for (const select of [() => ['one', 'public_api'], async () => ['one', 'public_api'], later]) {
      const { verdicts } = await world().limiter(registry.resolver(select)).check(view())
      expect(verdicts.map(({ policy }) => policy)).toEqual(['one', 'public_api'])
    }
  })

  it('a limiter refuses with 503 for an unknown or removed name', async () => {
    const registry = new PolicyRegistry([one])
    const { limiter, warnings } = world()
    const live = limiter(registry.resolver(() => 'one'))
    expect((await live.check(view())).allowed).toBe(true)
    registry.remove('one')
    expect((await times(2, live)).map(({ reason }) => reason)).toEqual(['policy-error', 'policy-error'])
    expect(warnings[0]?.message).toContain('HALT_E_UNKNOWN_POLICY')
  })
})
