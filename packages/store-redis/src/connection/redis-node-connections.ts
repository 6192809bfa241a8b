import { type CommandSender, redisClusterSender } from './command-sender.ts'
import { end, redisOptions } from './redis-transport.ts'
import type { RedisClient, RedisCluster, RedisNode } from './client-interfaces.ts'
import { ignore, withTimeout } from './timer.ts'
import { OPEN_MS } from './transport.ts'

const PING_MS = 500
const DISCOVERY_MS = 1_000

/** One set of connections: to every master that a cluster had when it was opened, or that was come upon since. */
export class NodeConnections {
  readonly cluster: RedisCluster
  readonly sender: CommandSender
  /** What went wrong last. */
  cause: unknown = new Error('A node of the cluster was lost')
  readonly #connected = new Set<string>()
  #opening: Promise<unknown> = Promise.resolve()
  #unwanted = false

  constructor(source: RedisCluster, known: readonly RedisNode[], broken: (cause: unknown) => void) {
    const { defaults } = source._options as { defaults?: { socket?: unknown } }
    const options: Record<string, unknown> = { ...defaults, ...redisOptions(defaults?.socket) }
    this.cluster = source.duplicate({
      commandOptions: options['commandOptions'],
      clientSideCache: undefined,
      // It would want all nodes or none: they are connected here.
      minimizeConnections: true,
      useReplicas: false,
      topologyRefreshOnReconnectionAttemptStrategy: false,
      rootNodes: rootsOf(source, known),
      defaults: options,
    })
    this.sender = redisClusterSender(this.cluster)
    const failed = (cause: unknown): void => {
      this.cause = cause
      queueMicrotask(() => broken(cause))
    }
    this.cluster.on('error', failed)
    this.cluster.on('node-error', failed)
    this.cluster.on('node-disconnect', () => queueMicrotask(() => broken(this.cause)))
    this.cluster.on('node-connect', node => {
      this.#connected.add(placeOf(node))
      if (this.#unwanted) this.#endConnected()
      for (const { client } of this.cluster.nodeByAddress.values()) client?.unref()
    })
  }

  get alive(): readonly RedisNode[] {
    return this.cluster.masters.filter(({ client }) => client?.isReady)
  }

  get isComplete(): boolean {
    return this.alive.length === this.cluster.masters.length
  }

  /** Whether a master is missing, and not about to come. */
  get isBroken(): boolean {
    return this.cluster.masters.some(
      ({ client, connectPromise }) => !client?.isOpen && connectPromise === undefined,
    )
  }

  async open(): Promise<void> {
    const { cluster } = this
    const found = cluster.connect()
    this.#opening = found
      .then(() => Promise.allSettled(cluster.masters.map(node => cluster.nodeClient(node))))
      .catch(ignore)
    try {
      await found
    } catch (error) {
      // node-redis says only that no node could be asked; the event before it why.
      throw this.cause ?? error
    }
    // One that hangs must not hold up the rest.
    await withTimeout(OPEN_MS / 2, this.#opening, () => new Error('Connection timeout')).catch(ignore)
  }

  /** Ends the connections that do not answer, or hang before they are ready. */
  async endSilent(): Promise<void> {
    const asked = this.cluster.masters.map(async ({ client }) => {
      if (client?.isReady) {
        await withTimeout(PING_MS, client.sendCommand(['PING']), () => new Error('No answer')).catch(() =>
          end(client),
        )
      } else if (this.#hasConnected(client)) end(client)
    })
    await Promise.all(asked)
  }

  end(): void {
    this.#unwanted = true
    this.#endConnected()
    // node-redis loses sight of sockets that are not connected yet: they are ended as soon as they are.
    void this.#opening.finally(() => {
      // One by one, since in node-redis 5 the first that is closed already would save the others.
      for (const { client } of this.cluster.nodeByAddress.values()) end(client)
      try {
        this.cluster.destroy()
      } catch {
        // Closed already.
      }
    })
  }

  #endConnected(): void {
    for (const { client } of this.cluster.nodeByAddress.values()) if (this.#hasConnected(client)) end(client)
  }

  #hasConnected(client: RedisClient | undefined): boolean {
    return client !== undefined && this.#connected.has(placeOf(client.options?.['socket']))
  }
}

function placeOf(socket: unknown): string {
  const { host, port } = (socket ?? {}) as { host?: string; port?: number }
  return `${host}:${port}`
}

// Whoever is still connected knows best; else those the user named, and those last known.
function rootsOf(source: RedisCluster, known: readonly RedisNode[]): object[] {
  const { rootNodes, nodeAddressMap: map } = source._options as {
    rootNodes: readonly Root[]
    nodeAddressMap?: Record<string, object> | ((address: string) => object | undefined)
  }
  const rootOf = ({ address, host, port }: RedisNode): Root => ({
    socket: (typeof map === 'function' ? map(address) : map?.[address]) ?? { host, port },
  })
  const alive = known.filter(({ client }) => client?.isReady)
  const roots = alive.length > 0 ? alive.map(rootOf) : [...rootNodes, ...known.map(rootOf)]
  // They are only asked for the slots: one that hangs is passed over.
  return roots.map(node => ({ ...node, socket: { ...node.socket, socketTimeout: DISCOVERY_MS } }))
}

interface Root {
  readonly socket?: object
}
