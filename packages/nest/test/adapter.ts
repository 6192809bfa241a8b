import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'

import type { Policy } from '@halt/core'
import type { Store } from '@halt/core/store'
import {
  type AdapterUnderTest,
  type Mount,
  ROUTES,
  type Served,
  type Setup,
  type StoreUnderTest,
  type SuiteOptions,
} from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { redis } from '../../store-redis/test/store-under-test.ts'
import {
  All,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  NotFoundException,
  Options,
  Post,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'

import {
  HaltGuard,
  HaltModule,
  type HaltModuleOptions,
  RateLimit,
  RateLimitCost,
  RateLimitDecision,
} from '../src/index.ts'
import type { Platform } from './app.ts'

/** The stores that the suite runs on. */
export const stores: readonly StoreUnderTest[] = [
  { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) },
  redis,
  { name: 'a store that answers later', make: ({ now }) => later(new InMemoryStore({ clock: now })) },
]

function later(store: Store): Store {
  return { evaluate: async group => store.evaluate(group), forget: cells => store.forget(cells) }
}

/** Drives the adapter for the suite. The module counts for all routes, decorators count for single ones. */
export function adapterOn(platform: Platform): AdapterUnderTest {
  return {
    name: `Nest on ${platform}`,
    merges: true,
    connect,
    ...(platform === 'fastify' ? { http2: (url, options) => connectHttp2(url, options) } : {}),
    header: (request: { headers: Record<string, string> }, name) => request.headers[name],
    status: (response: { statusCode: number }) => response.statusCode,
    answer: (context: ExecutionContext, { status, body }) => {
      const response = context.switchToHttp().getResponse()
      return (status === undefined ? response : response.status(status)).send(body)
    },
    serve: setup => serve(platform, setup),
  }
}

async function serve(platform: Platform, setup: Setup): Promise<Served> {
  const { guards, http2, headers } = setup
  const global = guards.find(({ at }) => at === undefined)
  const testing = await Test.createTestingModule({
    imports: [HaltModule.forRoot((global ?? guards[0])?.options as HaltModuleOptions)],
    controllers: [controllerOf(setup, global), notFound(platform)],
    providers: global === undefined ? [] : [{ provide: APP_GUARD, useClass: HaltGuard }],
  }).compile()
  const quiet = { logger: false, forceCloseConnections: true } as const
  let app: INestApplication
  if (platform === 'express') {
    const express = (app = testing.createNestApplication<NestExpressApplication>({
      ...quiet,
      bodyParser: false,
    }))
    express.use((req: any, res: any, next: () => void) => {
      if (req.headers['x-user'] !== undefined) req.user = { id: req.headers['x-user'] }
      res.set(headers)
      next()
    })
  } else {
    const adapter = new FastifyAdapter(
      http2 ? { http2: true, forceCloseConnections: true } : { forceCloseConnections: true },
    )
    app = testing.createNestApplication<NestFastifyApplication>(adapter, quiet)
    const instance = adapter.getInstance()
    instance.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    instance.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-user'] !== undefined)
        Object.assign(request, { user: { id: request.headers['x-user'] } })
      reply.headers(headers)
    })
  }
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => app.close() }
}

// Nest runs guards only for handlers, so the application needs a handler for requests that match no route.
function notFound(platform: Platform): Type {
  @Controller()
  class NotFound {
    @All(platform === 'fastify' ? '*' : '*path')
    answer() {
      throw new NotFoundException()
    }
  }
  return NotFound
}

const VERBS = { GET: Get, POST: Post, OPTIONS: Options, ALL: All }

function controllerOf({ guards, handle }: Setup, global: Mount | undefined): Type {
  class Routes {}
  const prototype = Routes.prototype as Record<string, unknown>
  for (const { method, path } of ROUTES) {
    const name = `${method} ${path}`
    prototype[name] = async (decision: undefined, response: any) => {
      const { status, body } = await handle({ method, path, decision })
      response.status(status).send(body)
    }
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
    const own = guards.filter(({ at }) => at === path).map(({ options }) => options)
    for (const decorate of [VERBS[method](path), ...decoratorsOf(own, global)])
      decorate(prototype, name, descriptor)
    RateLimitDecision()(prototype, name, 0)
    Res()(prototype, name, 1)
  }
  Controller()(Routes)
  return Routes
}

function decoratorsOf(own: readonly SuiteOptions[], global: Mount | undefined): MethodDecorator[] {
  if (own.length === 0) return []
  const policies = own.flatMap(({ limiter, policy }) => {
    const isGlobals = policy === undefined && limiter === global?.options.limiter
    return isGlobals ? [] : ([policy ?? limiter.options.policy].flat() as Policy[])
  })
  const costs = own.map(({ cost }) => cost).filter(cost => typeof cost === 'number')
  return [
    ...(costs.length === 0 ? [] : [RateLimitCost(Math.max(...costs))]),
    ...(global === undefined ? [UseGuards(HaltGuard)] : []),
    ...(policies.length === 0 ? [] : [RateLimit(...policies, { override: global === undefined })]),
  ]
}
