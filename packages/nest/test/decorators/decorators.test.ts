import type { Policy } from '@halt/core'
import {
  All,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type Type,
  UseGuards,
  VersioningType,
} from '@nestjs/common'
import { RouterModule } from '@nestjs/core'
import { describe, expect, it } from 'vitest'

import { HaltGuard, RateLimit, RateLimitCost, SkipRateLimit } from '../../src/index.ts'
import { countingStore, platforms, startApp, statuses } from '../app.ts'

const policy = (name: string, limit: number, more: object = {}): Policy => ({
  name,
  limit,
  window: 60,
  ...more,
})
const named = { a: policy('a', 1), b: [policy('b1', 2), policy('b2', 3)] }

/** How many of five requests to `/x` pass. */
async function passes(controller: Type, options: object = {}): Promise<number> {
  const url = await startApp(
    { policy: policy('global', 4), policies: named, ...options },
    { controllers: [controller] },
  )
  return (await statuses(`${url}/x`, 5)).filter(status => status === 200).length
}

describe('@RateLimit', () => {
  it('@RateLimit applies to all handlers of a class, and the own one of a handler adds to it', async () => {
    @Controller()
    @RateLimit('b')
    class Both {
      @Get('x')
      x() {}
      @Get('y')
      @RateLimit('a')
      y() {}
    }
    expect(await passes(Both)).toBe(2)
    const url = await startApp({ policy: policy('global', 4), policies: named }, { controllers: [Both] })
    expect(await statuses(`${url}/y`, 2)).toEqual([200, 429])
    expect(await statuses(`${url}/x`, 2)).toEqual([200, 429])
  })

  it('@RateLimit accepts several names and policies, and repeated decorators', async () => {
    @Controller()
    class Several {
      @Get('x')
      @RateLimit('b', policy('own', 3))
      @RateLimit(policy('second', 1))
      x() {}
    }
    const store = countingStore()
    expect(await passes(Several, { store })).toBe(1)
    expect(store.calls).toBe(5)
  })

  it('@RateLimit finds a policy by its own name too', async () => {
    @Controller()
    class ByName {
      @Get('x')
      @RateLimit('b1', { override: true })
      x() {}
    }
    expect(await passes(ByName)).toBe(2)
  })

  it('a global policy is counted once if the route names it', async () => {
    @Controller()
    class Twice {
      @Get('x')
      @RateLimit('global')
      x() {}
    }
    expect(await passes(Twice)).toBe(4)
  })

  it('the subclasses of a controller inherit @RateLimit', async () => {
    @RateLimit('b')
    class Base {
      @Get('x')
      x() {}
    }
    @Controller()
    class Child extends Base {}
    expect(await passes(Child)).toBe(2)
  })

  it('@RateLimit counts per route if the policy has scope "route"', async () => {
    @Controller()
    @RateLimit(policy('each', 2, { scope: 'route' }), { override: true })
    class Routes {
      @Get('x')
      x() {}
      @Get('y/:id')
      y() {}
    }
    const url = await startApp({ policy: policy('global', 4), policies: named }, { controllers: [Routes] })
    expect(await statuses(`${url}/x`, 3)).toEqual([200, 200, 429])
    expect(await statuses(`${url}/y/1`, 1)).toEqual([200])
    expect(await statuses(`${url}/y/2`, 2)).toEqual([200, 429])
    expect(await statuses(`${url}/x/`, 1)).toEqual([429])
    expect(await statuses(`${url}/x`, 1, { method: 'HEAD' })).toEqual([429])
  })

  describe.each(platforms)('scope "route" on %s', platform => {
    const options = { policy: policy('each', 2, { scope: 'route' }), policies: named }

    it('scope "route" counts a handler of all methods on one counter', async () => {
      @Controller('things')
      class Things {
        @All('any')
        any() {}
      }
      const url = await startApp(options, { platform, controllers: [Things] })
      const found: number[] = []
      for (const method of ['GET', 'POST', 'HEAD', 'DELETE', 'PATCH'])
        found.push(...(await statuses(`${url}/things/any`, 1, { method })))
      expect(found.map(status => status === 429)).toEqual([false, false, true, true, true])
    })

    it('scope "route" counts several paths or versions of a handler together, and other handlers apart', async () => {
      @Controller(['a/:id', 'b/:id'])
      class Two {
        @Get(['x', 'y'])
        x() {}
        @Get('z')
        z() {}
      }
      @Controller({ path: 'old', version: ['1', '2'] })
      class Versions {
        @Get()
        get() {}
      }
      const before = (app: INestApplication) => app.enableVersioning({ type: VersioningType.URI })
      const url = await startApp(options, { platform, controllers: [Two, Versions], before })
      const ask = async (...paths: string[]): Promise<number[]> =>
        (await Promise.all(paths.map(path => statuses(url + path, 1)))).flat()
      expect(await ask('/a/1/x', '/b/2/y')).toEqual([200, 200])
      expect(await ask('/a/1/y', '/b/1/x', '/a/3/x')).toEqual([429, 429, 429])
      expect(await ask('/a/1/z', '/b/2/z')).toEqual([200, 200])
      expect(await ask('/v1/old', '/v2/old')).toEqual([200, 200])
      expect(await ask('/v2/old', '/v1/old')).toEqual([429, 429])
    })

    it('scope "route" counts all values of a parameter in a controller, a module or a prefix as one', async () => {
      @Controller('of/:team')
      class Teams {
        @Get('things')
        things() {}
      }
      @Module({ controllers: [Teams] })
      class Inner {}
      const imports = [Inner as never, RouterModule.register([{ path: 'users/:user', module: Inner }])]
      const before = (app: INestApplication) => app.setGlobalPrefix('api')
      const url = await startApp(options, { platform, imports, before })
      const found: number[] = []
      for (const id of ['1', '2', '3', 't0ken'])
        found.push(...(await statuses(`${url}/api/users/${id}/of/${id}/things`, 1)))
      expect(found).toEqual([200, 200, 429, 429])
    })
  })

  it('one decorator can have override and another one the policy', async () => {
    @Controller()
    class Apart {
      @Get('x')
      @RateLimit({ override: true })
      @RateLimit('b')
      x() {}
    }
    expect(await passes(Apart, { policy: policy('global', 1) })).toBe(2)
  })

  it('@RateLimit throws for an argument that is not a policy', () => {
    expect(() => RateLimit(5 as never)).toThrow('HALT_E_POLICY')
    expect(() => RateLimit({ override: true }, 'a')).toThrow('HALT_E_POLICY')
  })
})

describe('@SkipRateLimit', () => {
  it('@SkipRateLimit skips only the policies it names', async () => {
    @Controller()
    @RateLimit('a', 'b')
    class Named {
      @Get('x')
      @SkipRateLimit('a')
      x() {}
      @Get('y')
      @SkipRateLimit('global', 'b1', 'a')
      y() {}
    }
    expect(await passes(Named)).toBe(2)
    const url = await startApp({ policy: policy('global', 1), policies: named }, { controllers: [Named] })
    expect(await statuses(`${url}/y`, 4)).toEqual([200, 200, 200, 429])
  })

  it('@SkipRateLimit of a class yields to the policies of a handler', async () => {
    @Controller()
    @SkipRateLimit()
    class Skipped {
      @Get('x')
      @RateLimit('a')
      x() {}
      @Get('y')
      y() {}
    }
    expect(await passes(Skipped)).toBe(1)
    const url = await startApp({ policy: policy('global', 1), policies: named }, { controllers: [Skipped] })
    expect(await statuses(`${url}/y`, 3)).toEqual([200, 200, 200])
  })

  it('@SkipRateLimit of a class yields to @RateLimit() of a handler, unless it names policies', async () => {
    @Controller()
    @SkipRateLimit()
    class Skipped {
      @Get('x')
      @RateLimit()
      x() {}
      @Get('y')
      y() {}
    }
    @Controller()
    @SkipRateLimit('global')
    class Named {
      @Get('x')
      @RateLimit()
      x() {}
      @Get('y')
      @RateLimit('global')
      y() {}
    }
    const options = { policy: policy('global', 1), policies: named }
    for (const guarded of [true, false]) {
      const url = await startApp(options, { controllers: [Skipped], guarded })
      expect(await statuses(`${url}/x`, 2)).toEqual([200, 429])
      expect(await statuses(`${url}/y`, 2)).toEqual([200, 200])
    }
    const url = await startApp(options, { controllers: [Named] })
    expect(await statuses(`${url}/x`, 2)).toEqual([200, 200])
    expect(await statuses(`${url}/y`, 2)).toEqual([200, 429])
  })

  it('@SkipRateLimit of a handler wins over @RateLimit() of a class, and override over both', async () => {
    @Controller()
    @RateLimit()
    class Counted {
      @Get('x')
      @SkipRateLimit()
      x() {}
    }
    @Controller()
    @RateLimit('b', { override: true })
    class Own {
      @Get('x')
      @RateLimit()
      x() {}
    }
    expect(await passes(Counted)).toBe(5)
    expect(await passes(Own, { policy: policy('global', 1) })).toBe(2)
  })
})

describe('@RateLimitCost', () => {
  it('@RateLimitCost accepts a number, units by policy name, or a function of request and context', async () => {
    @Controller()
    @RateLimitCost(4)
    class Priced {
      @Get('x')
      x() {}
      @Get('y')
      @RateLimitCost({ global: 2 })
      y() {}
      @Get('z')
      @RateLimitCost((request: { headers: Record<string, string> }, context: ExecutionContext) =>
        context.getHandler().name === 'z' ? Number(request.headers['x-cost']) : 100,
      )
      z() {}
    }
    expect(await passes(Priced)).toBe(1)
    const options = { policy: policy('global', 4), policies: named }
    const url = await startApp(options, { controllers: [Priced] })
    expect(await statuses(`${url}/y`, 3)).toEqual([200, 200, 429])
    const other = await startApp(options, { controllers: [Priced] })
    expect(await statuses(`${other}/z`, 2, { headers: { 'x-cost': '3' } })).toEqual([200, 429])
  })

  it('@RateLimitCost charges the whole limit if the function fails', async () => {
    @Controller()
    class Broken {
      @Get('x')
      @RateLimitCost(() => Number.NaN)
      x() {}
    }
    const warnings: string[] = []
    expect(await passes(Broken, { warn: ({ code }: { code: string }) => warnings.push(code) })).toBe(1)
    expect(warnings).toContain('HALT_W_CALLBACK')
  })

  it('@RateLimitCost throws for an argument that is not a cost', () => {
    expect(() => RateLimitCost(-1)).toThrow('HALT_E_COST')
  })
})

it('a subclass of HaltGuard decides before the guard of the decorators', async () => {
  const seen: string[] = []
  @Injectable()
  class Counting extends HaltGuard {
    override canActivate(context: ExecutionContext) {
      seen.push(context.getHandler().name)
      return super.canActivate(context)
    }
  }
  @Controller()
  class Any {
    @Get('x')
    @RateLimit('a')
    x() {}
  }
  const store = countingStore()
  const url = await startApp(
    { store, policy: policy('global', 4), policies: named },
    { controllers: [Any], guarded: false, providers: [{ provide: 'APP_GUARD', useClass: Counting }] },
  )
  expect(await statuses(`${url}/x`, 2)).toEqual([200, 429])
  expect([seen, store.calls]).toEqual([['x', 'x'], 2])
})

describe('without HaltGuard', () => {
  const byUser = policy('mine', 1, { keyStrategy: 'user' })

  @Injectable()
  class Authenticates implements CanActivate {
    canActivate(context: ExecutionContext) {
      const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>()
      request.user = { id: request.headers['x-user'] }
      return true
    }
  }

  it.each(['above', 'below'])(
    '@RateLimit decides behind a guard that stands %s it and knows the user',
    async where => {
      const guard = UseGuards(Authenticates)
      const limit = RateLimit(byUser)
      @Controller()
      class Mine {
        @Get('x')
        @(where === 'above' ? guard : limit)
        @(where === 'above' ? limit : guard)
        x() {}
      }
      const parts = { controllers: [Mine], guarded: false }
      const as = (user: string) => ({ headers: { 'x-user': user } })
      // Run it twice, because the class keeps the changes of the first application.
      for (const _ of [1, 2]) {
        const url = await startApp({ policies: named }, parts)
        expect(await statuses(`${url}/x`, 2, as('ann'))).toEqual([200, 429])
        expect(await statuses(`${url}/x`, 2, as('bob'))).toEqual([200, 429])
      }
    },
  )

  it('@RateLimit leaves no interceptor on HTTP routes', async () => {
    @Controller()
    @RateLimit('b')
    class Routes {
      @Get('x')
      @RateLimit('a')
      x() {}
    }
    await startApp({ policy: policy('global', 4), policies: named }, { controllers: [Routes] })
    expect(Reflect.getMetadata('__interceptors__', Routes)).toEqual([])
    expect(Reflect.getMetadata('__interceptors__', Routes.prototype.x)).toEqual([])
  })
})

it('an error for a wrong argument has a stack that begins at the decorator', () => {
  expect(firstLine(() => RateLimit(5 as never))).toContain('decorators.test.ts')
  expect(firstLine(() => RateLimitCost('5' as never))).toContain('decorators.test.ts')
})

/** The first line of the stack of a thrown error. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
