import { expect, it } from 'vitest'

import { type Policy, RateLimiter } from '../../src/index.ts'
import type { Group } from '../../src/databases/index.ts'
import { keysOf } from '../../src/databases/key-value.ts'
import { admitted, by, keyed, world } from '../world.ts'

it('policies and users whose names read alike when joined have different counters', async () => {
  const { limiter } = world()
  const named = (name: string): Policy => ({ name, limit: 1, window: 60, keyStrategy: 'user' })
  for (const [name, id] of [
    ['a', 'b.c'],
    ['a.b', 'c'],
    ['quota', 'x'],
    ['penalty', 'p'],
    ['a', 'b:c'],
    ['a', 'b'],
  ] as const) {
    expect(await admitted(2, limiter(named(name)), by(id)), `${name} ${id}`).toBe(1)
  }
})

it('all counters of a request have different keys in a store', async () => {
  const groups: Group[] = []
  const { store } = world()
  const spying = {
    evaluate: (group: Group) => {
      groups.push(group)
      return store.evaluate(group)
    },
    forget: () => 0,
  }
  const policies: Policy[] = [
    { name: 'p', limit: 9, window: 60, scope: 'route' },
    { name: 'p.GET', limit: 9, window: 60, keyStrategy: 'api-key' },
    { name: 'keys', limit: 9, window: 60, keyStrategy: 'composite' },
  ]
  const limiter = new RateLimiter({ store: spying, policy: policies, penalty: {}, warn: () => {} })
  await limiter.check(keyed('k', { route: '/p t:@keys' }), { idempotencyKey: 'once' })
  const [group] = groups as [Group]
  // Three counters, two address ceilings, the penalty, the idempotency key.
  expect(keysOf(group)).toHaveLength(7)
})
