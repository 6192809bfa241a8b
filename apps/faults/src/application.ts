import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'

import type { RedisClient, RedisName } from './place.ts'
import { USER } from './world.ts'

const host = '127.0.0.1'

/** An application with a Redis client of its own, with the library's default options. */
export interface Application {
  readonly client: object
  /** Closes the client as the library's README tells. */
  close(): Promise<unknown>
  /** Connects again. */
  reopen(): Promise<unknown>
  /** Disconnects in any state. */
  kill(): void
}

/** Makes a client, without waiting for its connection. */
export function openApplication(client: RedisClient, server: RedisName, port: number): Application {
  return client === 'ioredis' ? ofIoredis(server, port) : ofRedis(server, port)
}

function ofIoredis(server: RedisName, port: number): Application {
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

function ofRedis(server: RedisName, port: number): Application {
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
