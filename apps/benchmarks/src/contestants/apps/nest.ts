import 'reflect-metadata'
import type { Server } from 'node:http'

import { HaltGuard, HaltModule } from '@halt/nest'
import { ThrottlerStorageRedisService } from '@nest-lab/throttler-storage-redis'
import { Controller, type DynamicModule, Get, type Type } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler'
import { Redis } from 'ioredis'

import { BODY, haltOptions, type MakeServer, type Scene, settled, WINDOW_MS } from './app.ts'

class Root {
  show(): typeof BODY {
    return BODY
  }
}

class AwaitingRoot {
  async show(): Promise<typeof BODY> {
    await settled
    return BODY
  }
}

for (const root of [Root, AwaitingRoot]) {
  Controller()(root)
  Get()(
    root.prototype,
    'show',
    Object.getOwnPropertyDescriptor(root.prototype, 'show') as TypedPropertyDescriptor<unknown>,
  )
}

class App {}

type MakeModules = (scene: Scene) => { imports: DynamicModule[]; guards: Type[] }

const modules: Record<string, MakeModules> = {
  bare: () => ({ imports: [], guards: [] }),
  halt: scene => ({
    imports: [HaltModule.forRoot(haltOptions(scene, () => undefined))],
    guards: [HaltGuard],
  }),
  '@nestjs/throttler': ({ place, limit }) => ({
    imports: [
      ThrottlerModule.forRoot({
        throttlers: [{ limit, ttl: place === undefined ? NEST_TTL_MS : WINDOW_MS }],
        ...(place === undefined ? {} : { storage: new ThrottlerStorageRedisService(new Redis(place)) }),
      }),
    ],
    guards: [ThrottlerGuard],
  }),
}

// Its memory store keeps a log of all hits in the window and scans it at each hit. A long window would only measure that.
const NEST_TTL_MS = 50

/** Makes the server of a Nest app on Express with one of the modules. It counts by address only. */
export function make(name: string): MakeServer {
  return async scene => {
    if (scene.countedBy !== 'address') throw new Error('The Nest app counts by address only.')
    const { imports, guards } = (modules[name] as MakeModules)(scene)
    const providers = guards.map(guard => ({ provide: APP_GUARD, useClass: guard }))
    const controllers = [scene.handler === 'awaits' ? AwaitingRoot : Root]
    const app = await NestFactory.create({ module: App, imports, providers, controllers }, { logger: false })
    await app.init()
    return app.getHttpServer() as Server
  }
}
