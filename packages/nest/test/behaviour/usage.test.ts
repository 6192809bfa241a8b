import { type RateLimiter, type Policy } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { Controller, Get, Header, Req } from '@nestjs/common'
import { expect, it } from 'vitest'

import { InjectRateLimiter, SkipRateLimit, usage } from '../../src/index.ts'
import { platforms, startApp } from '../app.ts'

const policy: Policy = { name: 'api', limit: 3, window: 60 }

@Controller()
class Pages {
  readonly #limiter: RateLimiter<never>

  constructor(@InjectRateLimiter() limiter: RateLimiter<never>) {
    this.#limiter = limiter
  }

  @Get()
  hello(): string {
    return 'hello'
  }

  @Get('usage')
  @SkipRateLimit()
  @Header('Cache-Control', 'no-store')
  show(@Req() request: object): Promise<unknown> {
    return usage(this.#limiter, request)
  }
}

for (const platform of platforms)
  it(`a usage page tells a client what it has left, and charges nothing: ${platform}`, async () => {
    const store = new InMemoryStore({ clock: () => 0 })
    const url = await startApp({ store, policy }, { platform, controllers: [Pages] })
    await fetch(url)
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${url}/usage`)
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(await answer.json()).toMatchObject({ limits: [{ policy: 'api', limit: 3, remaining: 2 }] })
    }
  })
