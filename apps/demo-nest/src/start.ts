import { once } from 'node:events'
import type { Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'

import { closing, type Listening, type Start } from '@halt/demo-kit'

import { createApp } from './app.ts'

/** A running app that other services can reach too. */
export interface NestListening extends Listening {
  /** The port for their messages, on this machine only. */
  readonly servicePort: number
}

/** Starts the app on this machine only; port 0 takes a free port. */
export const start: Start<NestListening> = async (options, port) => {
  const servicePort = port === 0 ? await freePort() : port + 1
  const app = await createApp(options, servicePort)
  await app.startAllMicroservices()
  await (port === 0 ? app.listen(0, '127.0.0.1') : app.listen(port))
  return {
    url: `http://localhost:${(app.getHttpServer().address() as AddressInfo).port}`,
    servicePort,
    close: () => closing(app.getHttpServer() as Server, () => app.close()),
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
