import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Listening } from './app.ts'

/** Milliseconds that requests under way get when an app is stopped. */
const PATIENCE = 500

/** Lets a server listen; port 0 is a free one, on this machine only. */
export async function listen(server: Server, port: number): Promise<Listening> {
  if (port === 0) server.listen(0, '127.0.0.1')
  else server.listen(port)
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () =>
      closing(server, async () => {
        server.close()
        server.closeIdleConnections()
        await once(server, 'close')
      }),
  }
}

/** Ends an app, and after a moment what is still connected: browsers open connections that they never use. */
export async function closing(server: Server, close: () => Promise<unknown>): Promise<void> {
  const impatience = setTimeout(() => server.closeAllConnections(), PATIENCE)
  await close()
  clearTimeout(impatience)
}
