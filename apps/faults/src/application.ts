import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'

import type { ClientName, ServerName } from './place.ts'
import { USER } from './world.ts'

const host = '127.0.0.1'

/** An application with a Redis client of its own, on its library's default options. */
export interface Application {
  readonly client: unknown
  /** Ends the client, as the library's README does. */
  close(): Promise<unknown>
  /** Opens it again. */
  reopen(): Promise<unknown>
  /** Ends it whatever its state. */
  kill(): void
}

/** Opens a client, without waiting for it. */
export function openApplication(client: ClientName, server: ServerName, port: number): Application {
  return client === 'ioredis' ? ofIoredis(server, port) : ofRedis(server, port)
}

function ofIoredis(server: ServerName, port: number): Application {
  const client =
    server === 'cluster'
      ? new Cluster([{ host, port }], { redisOptions: { ...USER } })
      : new Redis({ host, port, ...USER })
  client.on('error', () => {})
  return {
    client,
    close: () => client.quit(),
    reopen: () => client.connect(),
    kill: () => client.disconnect(),
  }
}

function ofRedis(server: ServerName, port: number): Application {
  const socket = { host, port }
  const client =
    server === 'cluster'
      ? createCluster({ rootNodes: [{ socket }], defaults: { ...USER } })
      : createClient({ socket, ...USER })
  client.on('error', () => {})
  client.connect().catch(() => {})
  return {
    client,
    close: () => client.close(),
    reopen: () => client.connect(),
    kill() {
      try {
        client.destroy()
      } catch {
        // Closed already.
      }
    },
  }
}
