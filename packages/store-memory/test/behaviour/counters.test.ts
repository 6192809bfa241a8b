import { RateLimiter, type RatePolicy } from '@halt/core'
import { ManualClock, ReferenceStore } from '@halt/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'

const ROUTES = [undefined, '/x'] as const
// Texts that a store may put beside a user's name. An id with such a start or end may try to be another user's counter.
const JOINTS = [' ', ':', '@', '+ip:', ' c@', ':c@', '%20']
const DETAILS = ['*', 'GET:/x', 'GET:/x:t', 'c:t', 'keys', '1']
const id = fc.oneof(
  fc.constant('1'),
  fc
    .tuple(fc.constant('1'), fc.constantFrom(...JOINTS), fc.constantFrom(...DETAILS))
    .map(parts => parts.join('')),
  fc
    .tuple(fc.constantFrom(...DETAILS), fc.constantFrom(...JOINTS), fc.constant('1'))
    .map(parts => parts.join('')),
)
const place = fc.record({
  scope: fc.constantFrom('global', 'route', 'another policy'),
  route: fc.constantFrom(...ROUTES),
  user: id,
})

const stores = [
  ['the memory store', (now: () => number) => new InMemoryStore({ clock: now })],
  ['a store with one key a counter', (now: () => number) => new ReferenceStore(now)],
] as const

describe.each(stores)('%s', (_, make) => {
  it('a store keeps the counters of two users, routes or scopes apart, whatever their ids', async () => {
    const policy: RatePolicy = { name: 'c', limit: 100, window: 60, keyStrategy: 'user' }
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 10, maxLength: 30 }), async places => {
        const store = make(new ManualClock().now)
        const limiterOf = (own: Partial<RatePolicy>): RateLimiter =>
          new RateLimiter({ store, policy: { ...policy, ...own }, warn: () => {} })
        const limiters = {
          global: limiterOf({}),
          route: limiterOf({ name: 'r', counter: 'c', scope: 'route' }),
          'another policy': limiterOf({ name: 'a' }),
        }
        const charged = new Map<string, number>()
        for (const { scope, route, user } of places) {
          const request = { user: { id: user } }
          const view = { method: 'GET', path: '/', ip: '203.0.113.7', headers: {}, route, request }
          const { remaining } = await limiters[scope as keyof typeof limiters].check(view)
          const whose = JSON.stringify([scope, scope === 'route' ? (route ?? '') : '', user.trim() && user])
          const before = charged.get(whose) ?? 0
          charged.set(whose, before + 1)
          expect(remaining, whose).toBe(99 - before)
        }
      }),
      { numRuns: 400 },
    )
  })
})
