import type { RateLimiterOptions } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'

import { OtelTelemetry } from '../src/index.ts'
import { broken, limiterOf, tracing, view } from './otel.ts'

const api = { name: 'api', limit: 1, window: 60 }

/** A store that answers later, as one over a network does. */
function later(): RateLimiterOptions['store'] {
  const store = new InMemoryStore()
  return {
    async evaluate(group) {
      await new Promise(resolve => setTimeout(resolve, 2))
      return store.evaluate(group)
    },
    forget: cells => store.forget(cells),
  }
}

describe('the active span', () => {
  it.each([
    ['at once', () => new InMemoryStore()],
    ['later', later],
  ])('the active span gets an event for a refusal, by a store that answers %s', async (_when, make) => {
    const limiter = limiterOf(api, new OtelTelemetry(), make())
    const [events = []] = await tracing(async () => {
      await limiter.check(view())
      await limiter.check(view())
    })
    expect(events.map(({ name, attributes }) => [name, attributes])).toEqual([
      [
        'halt.blocked',
        {
          'halt.policy': 'api',
          'halt.algorithm': 'token-bucket',
          'halt.reason': 'limited',
          'halt.limit': 1,
          'halt.remaining': 0,
          'halt.cost': 1,
          'halt.retry_after': 60,
        },
      ],
    ])
  })

  it('the active span of each of many requests at once gets its own events', async () => {
    const limiter = limiterOf(api, new OtelTelemetry({ spanEvents: 'all' }), later())
    const ask = (client: number) => async (): Promise<void> => {
      for (let i = 0; i <= client; i++) await limiter.check(view({ ip: `203.0.113.${client}` }))
    }
    const events = await tracing(ask(0), ask(1), ask(2))
    expect(events.map(noted => noted.map(({ name }) => name))).toEqual([
      ['halt.allowed'],
      ['halt.allowed', 'halt.blocked'],
      ['halt.allowed', 'halt.blocked', 'halt.blocked'],
    ])
  })

  it('the active span gets an event for a refusal by a shadow, and for a store that fails', async () => {
    const telemetry = new OtelTelemetry()
    const shadowed = limiterOf({ ...api, mode: 'shadow' }, telemetry)
    const [events = []] = await tracing(async () => {
      for (let i = 0; i < 2; i++) await shadowed.check(view())
      await limiterOf(api, telemetry, broken()).check(view())
    })
    expect(events.map(({ name }) => name)).toEqual([
      'halt.shadow_blocked',
      'halt.store.error',
      'halt.allowed',
    ])
    expect(events[1]?.attributes).toEqual({ 'halt.store': 'redis', 'error.type': 'unavailable' })
    expect(events[2]?.attributes).toMatchObject({ 'halt.degraded': 'local' })
  })

  it('an event has no retry_after where waiting does not help', async () => {
    const limiter = limiterOf(api, new OtelTelemetry())
    const [[event] = []] = await tracing(() => limiter.check(view(), { cost: 5 }))
    expect(event?.attributes).toMatchObject({ 'halt.reason': 'cost-exceeds-limit' })
    expect(event?.attributes).not.toHaveProperty('halt.retry_after')
  })

  it('an event never has a key', async () => {
    const limiter = limiterOf({ ...api, keyStrategy: 'composite' }, new OtelTelemetry({ spanEvents: 'all' }))
    const [events = []] = await tracing(async () => {
      for (let i = 0; i < 3; i++) await limiter.check(view({ request: { user: { id: 'bob@example.com' } } }))
    })
    expect(events).toHaveLength(3)
    expect(JSON.stringify(events)).not.toMatch(/bob|203\.0\.113/)
  })

  it('the active span gets no event with spanEvents: false, and may be missing', async () => {
    const quiet = new OtelTelemetry({ spanEvents: false })
    const [events = []] = await tracing(async () => {
      for (let i = 0; i < 2; i++) await limiterOf(api, quiet).check(view())
      await limiterOf(api, quiet, broken()).check(view())
    })
    expect(events).toEqual([])
    expect((await limiterOf(api, new OtelTelemetry({ spanEvents: 'all' })).check(view())).allowed).toBe(true)
  })
})
