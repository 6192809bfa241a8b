import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'

import { type AppOptions, createApp } from './app.ts'

/** A running app. */
export interface Listening {
  readonly url: string
  /** Where other services send messages. */
  readonly servicePort: number
  readonly close: () => Promise<void>
}

/** Serves an app; port 0 is a free one, on this machine only. */
export async function listen(options: Omit<AppOptions, 'servicePort'>, port: number): Promise<Listening> {
  const servicePort = port === 0 ? await freePort() : port + 1
  const app = await createApp({ ...options, servicePort })
  await app.startAllMicroservices()
  await (port === 0 ? app.listen(0, '127.0.0.1') : app.listen(port))
  return {
    url: `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`,
    servicePort,
    close: () => app.close(),
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
