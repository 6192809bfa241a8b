import type { Decision, Policy, RateLimiter } from '@halt/core'
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Post,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import { describe, expect, it } from 'vitest'

import {
  HaltGuard,
  InjectRateLimiter,
  RateLimit,
  RateLimitCost,
  RateLimitDecision,
  RateLimitException,
  sendLimited,
  SkipRateLimit,
} from '../../src/index.ts'
import { type AppParts, countingStore, platforms, startApp, statuses } from '../app.ts'

const global: Policy = { name: 'global', limit: 3, window: 60 }
const auth: Policy = { name: 'auth_limit', limit: 1, window: 60, blockDuration: 300 }

@Controller()
class ThingsController {
  @Get('one')
  one(@RateLimitDecision() decision: { remaining: number } | undefined) {
    return { remaining: decision?.remaining ?? null }
  }

  @Get('two')
  two() {
    return 'two'
  }

  @Post('login')
  @RateLimit('auth')
  login() {
    return 'in'
  }

  @Get('alone')
  @RateLimit({ name: 'alone', limit: 5, window: 60 }, { override: true })
  alone() {
    return 'alone'
  }

  @Get('free')
  @SkipRateLimit()
  free(@RateLimitDecision() decision: unknown) {
    return { decided: decision !== undefined }
  }

  @Get('heavy')
  @RateLimitCost(2)
  heavy() {
    return 'heavy'
  }
}

@Controller()
class RequestController {
  @Get('shown')
  shown(@Req() request: { halt?: Decision }) {
    return { remaining: request.halt?.remaining, own: Object.hasOwn(request, 'halt') }
  }
}

it('the guard leaves request.halt to @halt/fastify, which makes it a getter', async () => {
  const parts: AppParts = {
    platform: 'fastify',
    controllers: [RequestController],
    before: app => {
      const fastify = app.getHttpAdapter().getInstance() as {
        decorateRequest(name: string, property: { getter(): unknown }): void
      }
      fastify.decorateRequest('halt', { getter: () => ({ remaining: 7 }) })
    },
  }
  const url = await startApp({ policy: global }, parts)
  expect(await (await fetch(`${url}/shown`)).json()).toEqual({ remaining: 7, own: false })
})

describe.each(platforms)('on %s', platform => {
  const parts = { platform, controllers: [ThingsController] }

  it('the guard counts all routes on one global counter', async () => {
    const url = await startApp({ policy: global, policies: { auth } }, parts)
    expect(await statuses(`${url}/one`, 2)).toEqual([200, 200])
    expect(await statuses(`${url}/two`, 2)).toEqual([200, 429])
  })

  it('a policy of a route is added to the global one in one store call, and all are charged or none', async () => {
    const store = countingStore()
    const url = await startApp({ store, policy: global, policies: { auth } }, parts)
    expect(await statuses(`${url}/login`, 3, { method: 'POST' })).toEqual([201, 429, 429])
    expect(store.calls).toBe(3)
    // The two refusals did not charge the global counter.
    expect(await statuses(`${url}/one`, 3)).toEqual([200, 200, 429])
  })

  it('a route counts by its own policy instead of the global one', async () => {
    const url = await startApp({ policy: global, policies: { auth } }, parts)
    expect(await statuses(`${url}/alone`, 6)).toEqual([200, 200, 200, 200, 200, 429])
    expect(await statuses(`${url}/one`, 1)).toEqual([200])
  })

  it('the guard does not count a skipped route', async () => {
    const store = countingStore()
    const url = await startApp({ store, policy: global, policies: { auth } }, parts)
    expect(await statuses(`${url}/free`, 5)).toEqual([200, 200, 200, 200, 200])
    expect(store.calls).toBe(0)
    expect(await (await fetch(`${url}/free`)).json()).toEqual({ decided: false })
  })

  it('the guard charges the cost of a route', async () => {
    const url = await startApp({ policy: global, policies: { auth } }, parts)
    expect(await statuses(`${url}/heavy`, 2)).toEqual([200, 429])
    expect(await statuses(`${url}/one`, 2)).toEqual([200, 429])
  })

  it('the handler gets the decision', async () => {
    const url = await startApp({ policy: global, policies: { auth } }, parts)
    expect(await (await fetch(`${url}/one`)).json()).toEqual({ remaining: 2 })
  })

  it('the guard shows the decision as request.halt', async () => {
    const url = await startApp({ policy: global }, { platform, controllers: [RequestController] })
    expect(await (await fetch(`${url}/shown`)).json()).toEqual({ remaining: 2, own: platform === 'fastify' })
  })

  it('filters see an HttpException with the decision', async () => {
    const seen: unknown[] = []
    @Catch(RateLimitException)
    class Filter implements ExceptionFilter {
      catch(exception: RateLimitException, host: ArgumentsHost) {
        seen.push(exception instanceof HttpException, exception.decision.policy, exception.getResponse())
        const response = host.switchToHttp().getResponse()
        response.status(420).send({ calm: true })
      }
    }
    @Controller()
    @UseFilters(Filter)
    class Filtered {
      @Get('x')
      x() {
        return 'x'
      }
    }
    const url = await startApp({ policy: { ...global, limit: 1 } }, { platform, controllers: [Filtered] })
    await fetch(`${url}/x`)
    const refused = await fetch(`${url}/x`)
    expect(refused.status).toBe(420)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(seen).toEqual([true, 'global', expect.objectContaining({ error: 'rate_limit_exceeded' })])
  })

  it('HaltGuard guards a single controller, and counts a call of two guards once', async () => {
    const store = countingStore()
    @Controller('guarded')
    @UseGuards(HaltGuard)
    class Guarded {
      @Get()
      @UseGuards(HaltGuard)
      get() {
        return 'guarded'
      }
    }
    const controllers = [Guarded, ThingsController]
    const url = await startApp(
      { store, policy: global, policies: { auth } },
      { platform, controllers, guarded: false },
    )
    expect(await statuses(`${url}/guarded`, 4)).toEqual([200, 200, 200, 429])
    expect(store.calls).toBe(4)
    expect(await statuses(`${url}/two`, 4)).toEqual([200, 200, 200, 200])
  })

  it('a decorated route is counted although the guard is not registered', async () => {
    const url = await startApp({ policy: global, policies: { auth } }, { ...parts, guarded: false })
    const login = { method: 'POST' }
    expect(await statuses(`${url}/login`, 2, login)).toEqual([201, 429])
    const refused = await fetch(`${url}/login`, login)
    expect(refused.headers.get('retry-after')).not.toBeNull()
  })

  it('a handler can refuse in the format of the guard', async () => {
    @Controller()
    class ByHand {
      @InjectRateLimiter() readonly limiter!: RateLimiter

      @Get('hand')
      async hand(@Req() request: object, @Res({ passthrough: true }) response: object) {
        const decision = await this.limiter.check(request)
        if (!decision.allowed) sendLimited(response, decision)
        return 'hand'
      }
    }
    const options = { policy: { ...global, limit: 1 }, errorFormat: 'problem' } as const
    const url = await startApp(options, { platform, controllers: [ByHand], guarded: false })
    expect(await statuses(`${url}/hand`, 2)).toEqual([200, 429])
    const refused = await fetch(`${url}/hand`)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(refused.headers.get('cache-control')).toBe('no-store')
  })

  it('a handler that refuses by itself removes the headers of the guard', async () => {
    @Controller()
    class ByHand {
      @InjectRateLimiter('scarce') readonly limiter!: RateLimiter

      @Get('hand')
      async hand(@Req() request: object, @Res({ passthrough: true }) response: object) {
        const decision = await this.limiter.check(request)
        if (!decision.allowed) sendLimited(response, decision)
        return 'hand'
      }
    }
    const options = {
      policy: { ...global, limit: 5 },
      policies: { scarce: { name: 'scarce', limit: 1, window: 60 } },
      headers: ({ allowed, remaining }: Decision): Record<string, string> =>
        allowed ? { 'X-Left': String(remaining) } : { 'X-Refused': 'yes' },
    }
    const url = await startApp(options, { platform, controllers: [ByHand] })
    expect((await fetch(`${url}/hand`)).headers.get('x-left')).toBe('4')
    const { status, headers } = await fetch(`${url}/hand`)
    expect([status, headers.get('x-refused'), headers.get('x-left')]).toEqual([429, 'yes', null])
  })
})
