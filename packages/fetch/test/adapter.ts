import { once } from 'node:events'
import { connect as connect2, createServer, type Http2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import type { AdapterUnderTest, Served } from '@halt/conformance'
import { serve, type ServerType } from '@hono/node-server'

import { build, common, type Handler } from './app.ts'

/** Drives the adapter on Node. */
export const onNode: AdapterUnderTest = {
  ...common,
  name: 'Fetch on Node',
  connect,
  http2: (url, options) => connect2(url, options),
  serve: setup => listen(build(setup, 'node'), setup.http2),
}

/** Serves a handler on a free port of 127.0.0.1. */
export async function listen(handler: Handler, http2 = false): Promise<Served> {
  const options = { fetch: handler, hostname: '127.0.0.1', port: 0 }
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
