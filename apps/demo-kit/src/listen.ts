import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Listening } from './app.ts'

/** The milliseconds that running requests get when an app stops. */
const PATIENCE = 500

/** Lets a server listen on this machine only; port 0 takes a free port. */
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

/** Closes a server, and after a moment its open connections, because browsers open connections that they never use. */
export async function closing(server: Server, close: () => Promise<unknown>): Promise<void> {
  const impatience = setTimeout(() => server.closeAllConnections(), PATIENCE)
  await close()
  clearTimeout(impatience)
}
