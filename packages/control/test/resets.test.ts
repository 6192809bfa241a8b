// Resets of counters that requests met under changed numbers, or whose client is blocked or let pass.
import { describe, expect, it, onTestFinished } from 'vitest'

import type { Policy, RateLimiterOptions } from '@halt/core'
import { Control } from '../src/index.ts'
import { by, rejection, view, world } from '../../core/test/world.ts'

function controlled(policy: RateLimiterOptions['policy']) {
  const { store, limiter } = world()
  const control = new Control({ store, warn: () => {} })
  onTestFinished(() => control.close())
  return { control, own: limiter(policy, { control }) }
}

describe('a reset', () => {
  const perRoute: Policy = {
    name: 'p',
    limit: 2,
    window: 60,
    scope: 'route',
    algorithm: 'fixed-window',
  }
  const on = (route: string) => view({ path: route, route })

  it('a reset of an identity forgets the counters of routes that were met under changed numbers', async () => {
    const { control, own } = controlled(perRoute)
    await own.check(on('/a'))
    await control.change('p', { limit: 3 })
    for (let i = 0; i < 4; i++) await own.check(on('/b'))
    await control.override({ ip: '203.0.113.7' }, 'p', { limit: 2 })
    for (let i = 0; i < 4; i++) await own.check(on('/c'))
    expect((await own.peek(on('/b'))).reason).toBe('limited')
    expect(await own.reset({ ip: '203.0.113.7' })).toBe(3)
    for (const route of ['/a', '/b', '/c']) expect((await own.peek(on(route))).allowed, route).toBe(true)
    await control.revert('p')
    await control.revert('p', { identity: { ip: '203.0.113.7' } })
    await own.check(on('/a'))
    expect(await own.reset({ ip: '203.0.113.7' })).toBe(1)
  })

  it('a reset of an identity fails if no route was met, and not if one was met under changed numbers', async () => {
    const { control, own } = controlled(perRoute)
    await control.change('p', { limit: 3 })
    expect((await rejection(own.reset({ ip: '203.0.113.7' }))).code).toBe('HALT_E_ROUTES_UNKNOWN')
    await own.check(on('/b'))
    expect(await own.reset({ ip: '203.0.113.7' })).toBe(1)
  })

  it.each(['block', 'allow'] as const)('a reset of a request reaches its counters behind a %s', async act => {
    const { control, own } = controlled({ name: 'p', limit: 2, window: 600, keyStrategy: 'user' })
    for (let i = 0; i < 3; i++) await own.check(by('a'))
    await control[act]({ user: 'a' })
    expect(await own.reset(by('a'))).toBe(1)
    await control[act === 'block' ? 'unblock' : 'disallow']({ user: 'a' })
    expect(await own.peek(by('a'))).toMatchObject({ allowed: true, remaining: 2 })
  })
})
