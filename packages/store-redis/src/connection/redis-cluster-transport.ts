import type { RedisClient, RedisCluster, RedisNode } from './client-interfaces.ts'
import { type CommandSender, redisClusterSender } from './command-sender.ts'
import { end, redisOptions } from './redis-transport.ts'
import { ignore, withTimeout, unrefTimeout } from './timer.ts'
import { OPEN_MS, type LostListener, type Transport } from './transport.ts'

const PING_MS = 500
const DISCOVERY_MS = 1_000

/** One set of connections: one to each master that the cluster had when the set was opened, or that was found since. */
export class NodeConnections {
  readonly cluster: RedisCluster
  readonly sender: CommandSender
  /** The last error. */
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
      // Without it node-redis connects all nodes or fails. They are connected in open() instead.
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
      this.#connected.add(addressOf(node))
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

  /** Whether a master has no connection and none is being opened. */
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
      // node-redis rejects with a general error. The error event before it says why.
      throw this.cause ?? error
    }
    // A node that hangs must not delay the others.
    await withTimeout(OPEN_MS / 2, this.#opening, () => new Error('Connection timeout')).catch(ignore)
  }

  /** Pings each node. Ends the connections without a reply, and those that hang before they are ready. */
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
    // node-redis cannot end sockets that are still connecting, so they are ended after they have connected.
    void this.#opening.finally(() => {
      // One by one, because in node-redis 5 destroy() stops at the first client that is closed already.
      for (const { client } of this.cluster.nodeByAddress.values()) end(client)
      try {
        this.cluster.destroy()
      } catch {
        // It was closed already.
      }
    })
  }

  #endConnected(): void {
    for (const { client } of this.cluster.nodeByAddress.values()) if (this.#hasConnected(client)) end(client)
  }

  #hasConnected(client: RedisClient | undefined): boolean {
    return client !== undefined && this.#connected.has(addressOf(client.options?.['socket']))
  }
}

function addressOf(socket: unknown): string {
  const { host, port } = (socket ?? {}) as { host?: string; port?: number }
  return `${host}:${port}`
}

// Nodes that are still connected know the slots. If none is, ask those that the user named and those last known.
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
  // Root nodes are only asked for the slots, so a short timeout passes over one that hangs.
  return roots.map(node => ({ ...node, socket: { ...node.socket, socketTimeout: DISCOVERY_MS } }))
}

interface Root {
  readonly socket?: object
}

const RETIRE_MS = 1_000

/**
 * Connections to a cluster, duplicated from the user's node-redis client. If a node is lost, a new set of connections is
 * opened to the nodes that the cluster has then. It replaces the old set once it is complete. Until then the old set serves
 * the remaining nodes.
 */
export class RedisClusterTransport implements Transport {
  readonly #source: RedisCluster
  readonly #lost: LostListener
  // The last known masters, because the nodes that the user named may be gone.
  #known: readonly RedisNode[] = []
  #current: NodeConnections | undefined
  #next: NodeConnections | undefined
  #isPinging = false

  constructor(source: RedisCluster, lost: LostListener) {
    this.#source = source
    this.#lost = lost
  }

  get sender(): CommandSender {
    if (this.#current === undefined) throw new Error('Not connected yet')
    return this.#current.sender
  }

  get ready(): boolean {
    return this.#current !== undefined
  }

  async open(): Promise<void> {
    this.#known = this.#current?.cluster.masters ?? this.#known
    const next = new NodeConnections(this.#source, this.#known, cause => this.#check(next, cause))
    this.#next = next
    try {
      await next.open()
      const gain = next.alive.length - (this.#current?.alive.length ?? 0)
      if (gain <= 0 && !next.isComplete) throw next.cause
      if (this.#next !== next) throw new Error('Given up')
    } catch (error) {
      next.end()
      throw error
    }
    // Calls on the old connections may still get their replies.
    const last = this.#current
    if (last !== undefined) unrefTimeout(RETIRE_MS, () => last.end())
    this.#next = undefined
    this.#current = next
    // Later, so that OwnConnection has noted first that the transport is open.
    unrefTimeout(0, () => this.#check(next, next.cause))
  }

  abandon(): void {
    this.#next?.end()
    this.#next = undefined
  }

  leaveDemoted(): void {
    // OwnConnection opens the next set, and this one serves until that is complete.
  }

  endUnresponsive(): void {
    if (this.#current === undefined || this.#isPinging) return
    this.#isPinging = true
    void this.#current.endSilent().finally(() => {
      this.#isPinging = false
    })
  }

  disconnect(): void {
    this.abandon()
    this.#current?.end()
    this.#current = undefined
  }

  #check(checked: NodeConnections, cause: unknown): void {
    if (checked !== this.#current || !checked.isBroken) return
    if (checked.alive.length === 0) {
      this.#current = undefined
      checked.end()
    }
    this.#lost(cause)
  }
}
