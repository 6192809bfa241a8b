import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Proxy, startProxy } from '../../../tools/proxy.ts'
import { ask, type RunningServer, startCluster, startRedis } from '../../../tools/servers.ts'
import type { RedisName } from './place.ts'

/** The server set-up that a fault needs. */
export interface Wish {
  /** A proxy between them and the clients. */
  readonly proxy?: boolean
  /** Cluster only: a replica for each master. */
  readonly replicas?: boolean
}

/** The user that clients log in as. It may do everything, until a fault takes permissions away. */
export const USER = { username: 'app', password: 'secret' } as const

/** The servers of one run. */
export class World {
  readonly name: RedisName
  /** The port that clients connect to. */
  readonly port: number
  readonly proxy: Proxy | undefined
  /** A folder that is kept when a server stops. */
  readonly folder: string
  /** The servers; in a cluster the masters come first. */
  servers: RunningServer[]
  /** The counts of a fault. */
  readonly counted = { known: 0, fresh: 0 }
  readonly #ends: (() => unknown)[] = []

  private constructor(name: RedisName, servers: RunningServer[], folder: string, proxy: Proxy | undefined) {
    this.name = name
    this.servers = servers
    this.folder = folder
    this.proxy = proxy
    this.port = proxy?.port ?? (servers[0] as RunningServer).port
  }

  static async start(name: RedisName, { proxy = false, replicas = false }: Wish): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'halt-faults-'))
    const args = ['--dir', folder, '--dbfilename', 'kept.rdb']
    const cluster = { replicas: replicas ? 1 : 0, nodeTimeout: 1_000 }
    const servers =
      name === 'cluster' ? (await startCluster(cluster)).servers : [await launch(name, { args })]
    const world = new World(
      name,
      servers,
      folder,
      proxy ? await startProxy((servers[0] as RunningServer).port) : undefined,
    )
    await world.welcome()
    return world
  }

  get first(): RunningServer {
    return this.servers[0] as RunningServer
  }

  get masters(): readonly RunningServer[] {
    return this.name === 'cluster' ? this.servers.slice(0, 3) : this.servers
  }

  /** Sends a command to all servers. */
  async ask(command: string): Promise<void> {
    await Promise.all(this.servers.map(({ port }) => ask(port, command)))
  }

  /** Starts the single server again on its port; empty, unless `args` load data. */
  async restart(...args: string[]): Promise<void> {
    this.servers = [await launch(this.name, { port: this.first.port, args })]
    await this.welcome()
  }

  /** Creates the application's user. */
  async welcome(): Promise<void> {
    await this.ask(`ACL SETUSER ${USER.username} on >${USER.password} ~* &* +@all`)
  }

  /** Runs a function when the world stops. */
  defer(end: () => unknown): void {
    this.#ends.push(end)
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) await end()
    this.proxy?.stop()
    await Promise.all(this.servers.map(server => server.stop()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

function launch(name: RedisName, options: { port?: number; args: string[] }): Promise<RunningServer> {
  return startRedis({ binary: name === 'valkey' ? 'valkey-server' : 'redis-server', ...options })
}
