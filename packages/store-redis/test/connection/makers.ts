import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import * as redis6 from 'redis'
import * as redis5 from 'redis5'

import { isFull } from '../../../../tools/full.ts'

/** Client options that a test may set. */
export interface Wish {
  readonly username?: string
  readonly password?: string
  readonly keyPrefix?: string
  /** ioredis: the database and the connection's name. */
  readonly db?: number
  readonly connectionName?: string
  /** node-redis: the same. */
  readonly database?: number
  readonly name?: string
}

/** A user's client, with functions that open and end it. */
export interface User {
  readonly client: any
  readonly connect: () => Promise<unknown>
  /** Ends it as the library's README does. */
  readonly quit: () => Promise<unknown>
  /** Ends it in any state. Never throws. */
  readonly kill: () => void
}

/** Makes clients of one library, version and topology. */
export interface Maker {
  readonly name: string
  readonly library: 'ioredis' | 'redis'
  readonly version: 5 | 6
  readonly kind: 'single' | 'pool' | 'cluster' | 'sentinel'
  /** Whether the library puts `keyPrefix` before keys. */
  readonly prefixes: boolean
  readonly make: (port: number, wish?: Wish) => User
}

const host = '127.0.0.1'

function ofIoredis(client: any): User {
  client.on('error', () => {})
  return {
    client,
    connect: () => client.connect(),
    quit: () => client.quit(),
    kill: () => client.disconnect(),
  }
}

function ofRedis(client: any): User {
  client.on('error', () => {})
  const kill = (): void => {
    try {
      Promise.resolve(client.destroy()).catch(() => {})
    } catch {
      // Closed already.
    }
  }
  return { client, connect: () => client.connect(), quit: () => client.close(), kill }
}

const ioredis = { 6: { Redis: Redis6, Cluster: Cluster6 }, 5: { Redis: Redis5, Cluster: Cluster5 } } as any
const redis = { 6: redis6, 5: redis5 } as any

const maker = (
  library: Maker['library'],
  version: 5 | 6,
  kind: Maker['kind'],
  make: (lib: any, port: number, wish: Wish) => User,
): Maker => ({
  name: `${library} ${version} ${kind}`,
  library,
  version,
  kind,
  prefixes: library === 'ioredis' || version === 6,
  make: (port, wish = {}) => make((library === 'ioredis' ? ioredis : redis)[version], port, wish),
})

/** Clients of one server. */
export const singles: readonly Maker[] = ([6, 5] as const).flatMap(version => [
  maker('ioredis', version, 'single', ({ Redis }, port, wish) =>
    ofIoredis(new Redis({ host, port, lazyConnect: true, ...wish })),
  ),
  maker('redis', version, 'single', ({ createClient }, port, wish) =>
    ofRedis(createClient({ socket: { host, port }, ...wish })),
  ),
  maker('redis', version, 'pool', ({ createClientPool }, port, wish) =>
    ofRedis(createClientPool({ socket: { host, port }, ...wish })),
  ),
])

/** Clients of a cluster. */
export const clusters: readonly Maker[] = ([6, 5] as const).flatMap(version => [
  maker('ioredis', version, 'cluster', ({ Cluster }, port, { keyPrefix = '', ...redisOptions }) =>
    // On a starved machine ioredis needs more than its default of a second to learn the slots.
    ofIoredis(
      new Cluster([{ host, port }], {
        lazyConnect: true,
        keyPrefix,
        redisOptions,
        slotsRefreshTimeout: 20_000,
      }),
    ),
  ),
  maker('redis', version, 'cluster', ({ createCluster }, port, { keyPrefix = '', ...defaults }) =>
    ofRedis(createCluster({ rootNodes: [{ socket: { host, port } }], defaults, keyPrefix })),
  ),
])

/** Clients of the server that a Sentinel names `main`. */
export const sentinels: readonly Maker[] = ([6, 5] as const).flatMap(version => [
  maker('ioredis', version, 'sentinel', ({ Redis }, port) =>
    ofIoredis(new Redis({ sentinels: [{ host, port }], name: 'main', lazyConnect: true })),
  ),
  maker('redis', version, 'sentinel', ({ createSentinel }, port) =>
    ofRedis(createSentinel({ name: 'main', sentinelRootNodes: [{ host, port }] })),
  ),
])

/** In the short form leaves the old versions of the libraries out. Other tests have them. */
export function usual(makers: readonly Maker[]): readonly Maker[] {
  return isFull ? makers : makers.filter(({ version }) => version === 6)
}
