import 'reflect-metadata'

import { drain, HaltGuard, HaltModule, RateLimit } from '@halt/nest'
import { All, Controller, Module, Req, Res } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import type { Request, Response } from 'express'

import { countsByStatus, type Serve } from './kit.ts'
import { MAX_WAIT, POLICIES, type RouteName, ROUTES } from './policies.ts'

export const serveNest: Serve = async ({ limiters, store, answer }, port) => {
  class Api {}
  // The bundler does not compile decorators, so they are called by hand.
  for (const route of ROUTES) {
    async function handle(req: Request, res: Response): Promise<void> {
      const { status, body } = await answer(route, req.originalUrl)
      res.status(status).send(body)
    }
    const descriptor = { value: handle, writable: true, enumerable: false, configurable: true }
    Object.defineProperty(Api.prototype, route, descriptor)
    Req()(Api.prototype, route, 0)
    Res()(Api.prototype, route, 1)
    All(route)(Api.prototype, route, descriptor)
    if (route !== 'acquires') RateLimit(route)(Api.prototype, route, descriptor)
  }
  Controller()(Api)

  class App {}
  Module({
    imports: [
      HaltModule.forRoot({
        store,
        policies: POLICIES,
        exemptPrivateIps: false,
        storeTimeout: '20s',
        // Only the policy of one route ever refuses.
        delay: { maxWait: MAX_WAIT },
        chargeWhen: response => {
          const { statusCode, req } = response as unknown as Response
          return countsByStatus(req.path.slice(1) as RouteName)?.(statusCode) ?? true
        },
      }),
    ],
    controllers: [Api],
    providers: [{ provide: APP_GUARD, useClass: HaltGuard }],
  })(App)

  const app = await NestFactory.create(App, { logger: ['error'] })
  await app.listen(port, '127.0.0.1')
  return () => drain(app, { limiter: Object.values(limiters) })
}
