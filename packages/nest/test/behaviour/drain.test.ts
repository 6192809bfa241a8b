import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { Controller, Get, Injectable, type OnApplicationShutdown } from '@nestjs/common'
import { expect, it } from 'vitest'

import { drain, getRateLimiterToken, RateLimit } from '../../src/index.ts'
import { makeApp, platforms } from '../app.ts'

const policy = { name: 'p', limit: 100, window: 60 } as const
const places = { name: 'places', algorithm: 'concurrency', limit: 1, ttl: 60, keyStrategy: 'shared' } as const

it.each(platforms)(
  'drain() answers a running request, then closes the application, the limiters and their store: %s',
  async platform => {
    const order: string[] = []
    const store = Object.assign(new InMemoryStore(), { close: () => void order.push('store closed') })
    let answer = (): void => {}
    const passed = new Promise<void>(resolve => (answer = resolve))

    @Injectable()
    class Hook implements OnApplicationShutdown {
      onApplicationShutdown(): void {
        order.push('app closed')
      }
    }

    @Controller()
    class Api {
      @Get()
      @RateLimit('places')
      async slow(): Promise<string> {
        await passed
        return 'late'
      }
    }

    const app = await makeApp(
      { store, policy, policies: { places } },
      { platform, controllers: [Api], providers: [Hook] },
    )
    await app.listen(0, '127.0.0.1')
    const asked = fetch(await app.getUrl())
    const limiter = app.get<RateLimiter>(getRateLimiterToken('places'))
    while ((await limiter.peek('all')).remaining === 1) await new Promise(setImmediate)
    const drained = drain(app, { deadline: '20s' })
    answer()
    expect(await (await asked).text()).toBe('late')
    expect(await drained).toEqual({ forced: 0, errors: [] })
    expect(drain(app)).toBe(drained)
    expect(order).toEqual(['app closed', 'store closed'])
    expect((await limiter.peek('all')).remaining).toBe(1)
  },
)

it('drain() ends an application without HaltModule, and closes the limiters that it is given', async () => {
  const app = await makeApp(undefined, { guarded: false })
  await app.listen(0, '127.0.0.1')
  let isClosed = false
  expect(await drain(app, { limiter: { close: () => void (isClosed = true) } })).toEqual({
    forced: 0,
    errors: [],
  })
  expect(isClosed).toBe(true)
})
