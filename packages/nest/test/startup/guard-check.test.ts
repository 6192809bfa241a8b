import { type HaltWarning, type Policy, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { ApolloDriver } from '@nestjs/apollo'
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  forwardRef,
  Get,
  Inject,
  Injectable,
  type NestMiddleware,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import { GraphQLModule, Int, Query, Resolver } from '@nestjs/graphql'
import { EventPattern } from '@nestjs/microservices'
import { WsAdapter } from '@nestjs/platform-ws'
import { Test } from '@nestjs/testing'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { describe, expect, it, vi } from 'vitest'

import { getRateLimiterToken, HaltGuard, HaltModule, InjectRateLimiter, RateLimit } from '../../src/index.ts'
import { type AppParts, LOCAL, makeApp, platforms, startApp, statuses } from '../app.ts'

// A name of its own, because all files of the package count as one process for HALT_W_LIMITER_PER_REQUEST.
const policy: Policy = { name: 'guard_check', limit: 1, window: 60 }

@Controller()
class Plain {
  @Get('x')
  x() {}
}

@Injectable()
class Mine extends HaltGuard {}

@Injectable({ scope: Scope.REQUEST })
class EachTime extends HaltGuard {}

/** A guard that calls ours. */
@Injectable()
class Asking implements CanActivate {
  readonly #halt: HaltGuard

  constructor(@Inject(HaltGuard) halt: HaltGuard) {
    this.#halt = halt
  }

  canActivate(context: ExecutionContext) {
    return this.#halt.canActivate(context)
  }
}

/** Like {@link Asking}, but made by hand. */
class Holding implements CanActivate {
  readonly halt: HaltGuard

  constructor(halt: HaltGuard) {
    this.halt = halt
  }

  canActivate(context: ExecutionContext) {
    return this.halt.canActivate(context)
  }
}

@Controller()
@UseGuards(HaltGuard)
class OnClass extends Plain {}

@Controller()
class OnHandler {
  @Get('x')
  @UseGuards(Mine)
  x() {}
}

@Controller()
@UseGuards(HaltGuard)
class Base {
  @Get('x')
  x() {}
}

@Controller()
class Inheriting extends Base {}

@Controller()
class ByDecorator {
  @Get('x')
  @RateLimit()
  x() {}
}

@Controller()
class ByOwnPolicy extends Plain {
  @Get('own')
  @RateLimit({ name: 'guard_check_own', limit: 1, window: 60 })
  own() {}
}

@Controller()
@UseGuards(Asking)
class ByAnother extends Plain {}

@WebSocketGateway({ path: '/chat' })
@UseGuards(HaltGuard)
class Gateway {
  @SubscribeMessage('say')
  say() {}
}

@WebSocketGateway({ path: '/chat' })
class OpenGateway {
  @SubscribeMessage('say')
  say() {}
}

@Resolver()
class CountedResolver {
  @Query(() => Int)
  @UseGuards(HaltGuard)
  one() {
    return 1
  }
}

@Resolver()
class OpenResolver {
  @Query(() => Int)
  one() {
    return 1
  }
}

const graphql = () => GraphQLModule.forRoot({ driver: ApolloDriver, autoSchemaFile: true } as never)

/** Starts an application without the usual `APP_GUARD`. Gives the codes of its warnings and its URL. */
async function started(parts: AppParts, options: object = {}): Promise<{ codes: string[]; url: string }> {
  const codes: string[] = []
  const warn = ({ code }: HaltWarning) => codes.push(code)
  // Give a store, because several applications with default stores cause a warning.
  const store = 'limiter' in options ? {} : { store: new InMemoryStore() }
  const url = await startApp(
    { policy, warn, ...store, ...options },
    { controllers: [Plain], guarded: false, ...parts },
  )
  return { codes, url }
}

describe.each(platforms)('an application on %s', platform => {
  it('an application without a guard counts nothing, and gets a warning at start', async () => {
    const { codes, url } = await started({ platform })
    expect(codes).toEqual(['HALT_W_NO_GUARD'])
    expect(await statuses(`${url}/x`, 3)).toEqual([200, 200, 200])
  })

  it.each<[string, AppParts]>([
    ['APP_GUARD', { providers: [{ provide: APP_GUARD, useClass: HaltGuard }] }],
    ['APP_GUARD of an existing one', { providers: [{ provide: APP_GUARD, useExisting: HaltGuard }] }],
    ['APP_GUARD made from it', { providers: [{ provide: APP_GUARD, useClass: Mine }] }],
    ['APP_GUARD made for each request', { providers: [{ provide: APP_GUARD, useClass: EachTime }] }],
    ['APP_GUARD that asks it', { providers: [{ provide: APP_GUARD, useClass: Asking }] }],
    ['useGlobalGuards', { before: app => app.useGlobalGuards(app.get(HaltGuard)) }],
    ['useGlobalGuards around it', { before: app => app.useGlobalGuards(new Holding(app.get(HaltGuard))) }],
    ['@UseGuards on a class', { controllers: [OnClass] }],
    ['@UseGuards on a handler, made from it', { controllers: [OnHandler] }],
    ['@UseGuards on a base class', { controllers: [Inheriting] }],
    ['@UseGuards of one that asks it', { controllers: [ByAnother] }],
    ['@RateLimit', { controllers: [ByDecorator] }],
  ])('an application counts, and gets no warning, with %s', async (_how, parts) => {
    const { codes, url } = await started({ platform, ...parts })
    expect(codes).toEqual([])
    expect(await statuses(`${url}/x`, 2)).toEqual([200, 429])
  })
})

describe('HALT_W_NO_GUARD', () => {
  it('process.emitWarning tells HALT_W_NO_GUARD, with the line to add', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    await started({}, { warn: undefined })
    expect(emit).toHaveBeenCalledWith(
      expect.stringContaining('provide: APP_GUARD, useClass: HaltGuard'),
      expect.objectContaining({ code: 'HALT_W_NO_GUARD' }),
    )
    emit.mockRestore()
  })

  it('HALT_W_NO_GUARD is emitted for resolvers and gateways without the guard', async () => {
    const codesWith = async (parts: AppParts): Promise<string[]> => {
      const before: AppParts['before'] = app => app.useWebSocketAdapter(new WsAdapter(app))
      return (await started({ controllers: [], before, ...parts })).codes
    }
    expect(await codesWith({ imports: [graphql()], providers: [OpenResolver] })).toEqual(['HALT_W_NO_GUARD'])
    expect(await codesWith({ imports: [graphql()], providers: [CountedResolver] })).toEqual([])
    expect(await codesWith({ providers: [OpenGateway] })).toEqual(['HALT_W_NO_GUARD'])
    expect(await codesWith({ providers: [Gateway] })).toEqual([])
  })

  it('HALT_W_NO_GUARD is emitted although @RateLimit with a policy counts some handlers', async () => {
    const warnings: HaltWarning[] = []
    const warn = (warning: HaltWarning) => warnings.push(warning)
    const { url } = await started({ controllers: [ByOwnPolicy] }, { warn })
    expect(warnings).toMatchObject([
      {
        code: 'HALT_W_NO_GUARD',
        message: expect.stringContaining('only handlers with @RateLimit are counted'),
      },
    ])
    expect(await statuses(`${url}/x`, 3)).toEqual([200, 200, 200])
    expect(await statuses(`${url}/own`, 2)).toEqual([200, 429])
  })

  it('HALT_W_NO_GUARD is emitted for a given limiter and for a resolver, but not if only decorators count', async () => {
    const codes: string[] = []
    const warn = ({ code }: HaltWarning) => codes.push(code)
    const limiter = new RateLimiter({ store: new InMemoryStore(), policy, exemptPrivateIps: false, warn })
    await startApp({ limiter } as never, { controllers: [Plain], guarded: false })
    expect(codes).toEqual(['HALT_W_NO_GUARD'])
    expect((await started({}, { policy: () => policy })).codes).toEqual(['HALT_W_NO_GUARD'])
    expect((await started({}, { policy: undefined, policies: { named: policy } })).codes).toEqual([])
  })

  @Injectable()
  class ByParameter {
    readonly limiter: RateLimiter
    constructor(@InjectRateLimiter() limiter: RateLimiter) {
      this.limiter = limiter
    }
  }
  @Injectable()
  class ByProperty {
    @InjectRateLimiter('named') readonly limiter!: RateLimiter
  }
  @Injectable()
  class ByForwardReference {
    readonly guard: unknown
    constructor(@Inject(forwardRef(() => HaltGuard)) guard: unknown) {
      this.guard = guard
    }
  }
  @Injectable()
  class ByType {
    readonly guard: HaltGuard
    constructor(guard: HaltGuard) {
      this.guard = guard
    }
  }
  const optional = [{ token: getRateLimiterToken(), optional: true }]

  it.each<[string, NonNullable<AppParts['providers']>]>([
    ['a constructor', [ByParameter]],
    ['the type of a constructor parameter', [ByType]],
    ['a property', [ByProperty]],
    ['a forward reference', [ByForwardReference]],
    ['a factory', [{ provide: 'x', inject: optional, useFactory: (limiter: RateLimiter) => limiter }]],
  ])('HALT_W_NO_GUARD is not emitted if %s injects a limiter or the guard', async (_injector, providers) => {
    expect((await started({ providers }, { policies: { named: policy } })).codes).toEqual([])
  })

  it('HALT_W_NO_GUARD is not emitted if a middleware has a limiter', async () => {
    @Injectable()
    class Middleware implements NestMiddleware {
      readonly limiter: RateLimiter
      constructor(@InjectRateLimiter() limiter: RateLimiter) {
        this.limiter = limiter
      }
      use(_request: unknown, _response: unknown, next: () => void) {
        next()
      }
    }
    class Consuming {
      configure(consumer: { apply(type: Type): { forRoutes(path: string): void } }) {
        consumer.apply(Middleware).forRoutes('*path')
      }
    }
    expect((await started({ imports: [{ module: Consuming }] })).codes).toEqual([])
  })

  it('HALT_W_NO_GUARD is not emitted without handlers, or if a microservice may have its own guards', async () => {
    @Controller()
    class Messages extends Plain {
      @EventPattern('done')
      done(_data: unknown) {}
    }
    expect((await started({ controllers: [] })).codes).toEqual([])
    expect((await started({ controllers: [Messages] })).codes).toEqual([])
    const codes: string[] = []
    const store = new InMemoryStore()
    const options = { ...LOCAL, policy, store, warn: ({ code }: HaltWarning) => codes.push(code) }
    const imports = [HaltModule.forRoot(options)]
    const context = await Test.createTestingModule({ imports, controllers: [Plain] }).compile()
    await context.init()
    await context.close()
    expect(codes).toEqual([])
  })

  it('HALT_W_NO_GUARD is emitted when the application starts, not when it is made', async () => {
    const codes: string[] = []
    const warn = ({ code }: HaltWarning) => codes.push(code)
    const app = await makeApp(
      { policy, store: new InMemoryStore(), warn },
      { controllers: [Plain], guarded: false },
    )
    expect(codes).toEqual([])
    await app.init()
    expect(codes).toEqual(['HALT_W_NO_GUARD'])
  })
})
