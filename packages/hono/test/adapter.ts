import { once } from 'node:events'
import { createServer, type Http2Server } from 'node:http2'
import { connect as connect2 } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import type { Store } from '@halt/core/store'
import {
  type AdapterUnderTest,
  ROUTES,
  type Served,
  type Setup,
  type StoreUnderTest,
} from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { serve, type ServerType } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, type Handler, Hono } from 'hono'

import { halt, type HaltOptions } from '../src/index.ts'

/** The stores that the suite runs on. */
export const stores: readonly StoreUnderTest[] = [
  { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) },
  { name: 'a store that answers later', make: ({ now }) => later(new InMemoryStore({ clock: now })) },
]

function later(store: Store): Store {
  return { evaluate: async group => store.evaluate(group), forget: cells => store.forget(cells) }
}

/** Drives the adapter on Node. */
export const onNode: AdapterUnderTest = {
  name: 'Hono on Node',
  connect,
  http2: url => connect2(url),
  header: (c: Context, name) => c.req.header(name),
  status: (response: Response) => response.status,
  answer: (c: Context, { status, body }) => c.text(body, status as 200),
  serve: setup => listen(build(setup), setup.http2),
}

/** Serves an app on a free port of 127.0.0.1. */
export async function listen(app: { fetch: Hono['fetch'] }, http2 = false): Promise<Served> {
  const options = { fetch: app.fetch, hostname: '127.0.0.1', port: 0 }
  const server: ServerType = serve(http2 ? { ...options, createServer } : options)
  const sessions = new Set<{ destroy(): void }>()
  if (http2) (server as Http2Server).on('session', session => sessions.add(session))
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      for (const session of sessions) session.destroy()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** The fixed API of the suite. */
export function build({ guards, handle, headers }: Setup): Hono {
  type Guarded = Hono<{ Variables: { user: { id: string } } }>
  const app: Guarded = new Hono()
  const guard = (options: unknown): Handler => halt({ ...(options as HaltOptions), getConnInfo })
  app.use(async (c, next) => {
    const id = c.req.header('x-user')
    if (id !== undefined) c.set('user', { id })
    for (const [name, value] of Object.entries(headers)) c.header(name, value)
    await next()
  })
  for (const { at, options } of guards) if (at === undefined) app.use(guard(options))
  for (const { method, path } of ROUTES) {
    const own = guards.filter(({ at }) => at === path).map(({ options }) => guard(options))
    app.on(method, [path], ...own, async c => {
      const { status, body } = await handle({ method, path, decision: c.get('halt') })
      return c.text(body, status as 200)
    })
  }
  // Hono's own prints the errors that tests throw.
  app.onError((_error, c) => c.text('broken', 500))
  return app as unknown as Hono
}

/** Serves an app, asks for paths one after the other, and gives the statuses. */
export async function statuses(app: { fetch: Hono['fetch'] }, ...paths: string[]): Promise<number[]> {
  const { url, close } = await listen(app)
  try {
    const found: number[] = []
    for (const path of paths) found.push((await fetch(url + path)).status)
    return found
  } finally {
    await close()
  }
}
