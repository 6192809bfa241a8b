import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import type { Store } from '@halt/core/store'
import {
  type AdapterUnderTest,
  ROUTES,
  type Served,
  type Setup,
  type StoreUnderTest,
} from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import type express from 'express'
import type { Express, Request, RequestHandler, Response } from 'express'

import { redis } from '../../store-redis/test/store-under-test.ts'
import { halt, type LimitedContext } from '../src/index.ts'

/** The stores that the suite runs on. */
export const stores: readonly StoreUnderTest[] = [
  { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) },
  redis,
  { name: 'a store that answers later', make: ({ now }) => later(new InMemoryStore({ clock: now })) },
]

function later(store: Store): Store {
  return { evaluate: async group => store.evaluate(group), forget: counters => store.forget(counters) }
}

/** One major version of Express. */
export type ExpressModule = typeof express

/** Drives the adapter on one version of Express. */
export function adapterOn(name: string, framework: ExpressModule): AdapterUnderTest {
  return {
    name,
    // Omit `http2`: Express 4 and 5 give each request the prototype of HTTP/1, so they do not run on `node:http2`.
    early: true,
    connect,
    header: (request: Request, header) => request.get(header),
    status: (response: Response) => response.statusCode,
    answer: ({ res }: LimitedContext, { status = res.statusCode, body }) => res.status(status).send(body),
    serve: setup => listen(build(framework, framework(), setup)),
  }
}

/** Serves an app on a free port of 127.0.0.1. */
export async function listen(app: Express): Promise<Served> {
  // Stop Express from printing the errors that tests throw.
  app.set('env', 'test')
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

// Routes below this path are in a mounted router.
const MOUNT = '/tenants/:tenant'

function build({ Router }: ExpressModule, app: Express, { guards, handle, headers, early }: Setup): Express {
  app.use((req, res, next) => {
    const id = req.get('x-user')
    if (id !== undefined) Object.assign(req, { user: { id } })
    res.set(headers)
    // The guards begin when the client has been sent something.
    if (early) res.write('early ', () => next())
    else next()
  })
  for (const { at, options } of guards) if (at === undefined) app.use(halt(options))
  for (const { method, path } of ROUTES) {
    const own = guards.filter(({ at }) => at === path).map(({ options }) => halt(options))
    const handler: RequestHandler = async (req, res, next) => {
      try {
        const { status, body } = await handle({ method, path, decision: req.halt })
        if (res.headersSent) res.end(body)
        else res.status(status).send(body)
      } catch (error) {
        next(error)
      }
    }
    const [router, below] = path.startsWith(MOUNT) ? [Router(), path.slice(MOUNT.length)] : [app, path]
    router[method.toLowerCase() as 'get' | 'post' | 'options' | 'all'](below, ...own, handler)
    if (router !== app) app.use(MOUNT, router)
  }
  return app
}
