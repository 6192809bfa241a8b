import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'

import type { DemoEnv } from './demo-auth.ts'

/** A running app. */
export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Serves an app; port 0 is a free one, on this machine only. */
export async function listen({ fetch }: Pick<Hono<DemoEnv>, 'fetch'>, port: number): Promise<Listening> {
  const server = serve(port === 0 ? { fetch, port, hostname: '127.0.0.1' } : { fetch, port })
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      if ('closeIdleConnections' in server) server.closeIdleConnections()
      await once(server, 'close')
    },
  }
}
