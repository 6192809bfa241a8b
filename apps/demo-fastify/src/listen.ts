import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** A running app. */
export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Serves an app; port 0 is a free one, on this machine only. */
export async function listen(app: FastifyInstance, port: number): Promise<Listening> {
  await app.listen(port === 0 ? { port, host: '127.0.0.1' } : { port })
  return {
    url: `http://localhost:${(app.server.address() as AddressInfo).port}`,
    close: () => app.close(),
  }
}
