import { expect, it } from 'vitest'

import { usageOf } from '../../src/http/index.ts'
import { fakeOutage, ReferenceStore } from '../../src/testing/index.ts'
import { by, START, view, world } from '../world.ts'

it('a client sees what it has left of each of its limits, and is charged nothing', async () => {
  const { limiter } = world()
  const own = limiter([
    { name: 'per_user', limit: 10, window: 60, keyStrategy: 'user' },
    { name: 'api_calls', limit: 1000, period: 'monthly' },
    { name: 'trial', limit: 1, window: 60, mode: 'shadow' },
    { name: 'each', limit: 5, window: 60, scope: 'route' },
  ])
  for (let i = 0; i < 3; i++) await own.check(by('42'))
  for (let i = 0; i < 2; i++) {
    const { headers, body } = await usageOf(own, by('42'))
    expect(headers['cache-control']).toBe('no-store')
    expect(body).toEqual({
      exempt: false,
      degraded: false,
      limits: [
        { policy: 'per_user', limit: 10, remaining: 7, reset_at: START / 1000 + 18, retry_after: 0 },
        {
          policy: 'api_calls',
          limit: 1000,
          remaining: 997,
          reset_at: Date.UTC(2026, 11) / 1000,
          retry_after: 0,
        },
      ],
    })
  }
  expect((await usageOf(own, by('43'))).body.limits[0]).toMatchObject({ remaining: 10 })
})

it('a refused client sees when it may come again, and one that never passes sees null', async () => {
  const { limiter } = world()
  const own = limiter({ name: 'api', limit: 1, window: 60, burst: 1 })
  await own.check(view())
  expect((await usageOf(own, view())).body.limits).toMatchObject([{ remaining: 0, retry_after: 60 }])
  const closed = limiter({ name: 'closed', limit: 1, window: 60, headroom: () => 1 })
  expect((await usageOf(closed, view())).body.limits).toMatchObject([{ retry_after: null }])
  const keyed = limiter({ name: 'keyed', limit: 1, window: 60, keyStrategy: 'user', onMissingKey: 'deny' })
  expect((await usageOf(keyed, view())).body.limits).toMatchObject([{ retry_after: null }])
})

it('an exempt client sees that it is exempt', async () => {
  const own = world().limiter({ name: 'api', limit: 1, window: 60 })
  expect((await usageOf(own, view({ ip: '10.0.0.1' }))).body).toEqual({
    exempt: true,
    degraded: false,
    limits: [],
  })
})

it('a client sees during an outage the numbers of this process, and that they are degraded', async () => {
  const { limiter } = world()
  const store = fakeOutage(new ReferenceStore(() => START))
  store.begin('refused')
  const own = limiter({ name: 'api', limit: 5, window: 60 }, { store })
  expect((await usageOf(own, view())).body).toMatchObject({ degraded: true, limits: [{ remaining: 5 }] })
})
