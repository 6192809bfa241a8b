import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'

/** A running app. */
export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Serves an app; port 0 is a free one, on this machine only. */
export async function listen(app: Express, port: number): Promise<Listening> {
  const server = port === 0 ? app.listen(0, '127.0.0.1') : app.listen(port)
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeIdleConnections()
      await once(server, 'close')
    },
  }
}
