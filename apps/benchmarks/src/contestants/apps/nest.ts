import 'reflect-metadata'
import { HaltGuard, HaltModule } from '@halt/nest'
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis'
import { Controller, type DynamicModule, Get, type Type } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler'
import { Redis } from 'ioredis'

import { BODY, haltOptions, LIMIT, type Place, type StartApp, WINDOW_MS } from './app.ts'

class Root {
  show(): typeof BODY {
    return BODY
  }
}
Controller()(Root)
Get()(
  Root.prototype,
  'show',
  Object.getOwnPropertyDescriptor(Root.prototype, 'show') as TypedPropertyDescriptor<() => typeof BODY>,
)

class App {}

const modules: Record<string, (place: Place) => { imports: DynamicModule[]; guards: Type[] }> = {
  bare: () => ({ imports: [], guards: [] }),
  halt: place => ({ imports: [HaltModule.forRoot(haltOptions(place))], guards: [HaltGuard] }),
  '@nestjs/throttler': place => ({
    imports: [
      ThrottlerModule.forRoot({
        throttlers: [{ limit: LIMIT, ttl: place === undefined ? NEST_TTL_MS : WINDOW_MS }],
        ...(place === undefined ? {} : { storage: new ThrottlerStorageRedisService(new Redis(place)) }),
      }),
    ],
    guards: [ThrottlerGuard],
  }),
}

// Its memory store keeps a log of all hits in the window and scans it at each hit. A long window would only measure that.
const NEST_TTL_MS = 50

export const names: readonly string[] = Object.keys(modules)

/** Starts a Nest app on Express with one of the modules. */
export function start(name: string): StartApp {
  return async (port, place) => {
    const { imports, guards } = (
      modules[name] as (place: Place) => { imports: DynamicModule[]; guards: Type[] }
    )(place)
    const providers = guards.map(guard => ({ provide: APP_GUARD, useClass: guard }))
    const app = await NestFactory.create(
      { module: App, imports, providers, controllers: [Root] },
      { logger: false },
    )
    await app.listen(port, '127.0.0.1')
  }
}
