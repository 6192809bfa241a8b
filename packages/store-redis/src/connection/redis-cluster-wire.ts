import { type Caller, redisClusterCaller } from './caller.ts'
import { end, redisOptions } from './redis-wire.ts'
import type { RedisClient, RedisCluster, RedisNode } from './shapes.ts'
import { ignore, quietly, within } from './timer.ts'
import { type Lost, OPEN_MS, type Wire } from './wire.ts'

const PING_MS = 500
const DISCOVERY_MS = 1_000
const RETIRE_MS = 1_000

/**
 * Connections to a cluster, made from the user's node-redis client. When a node is lost another set of connections is
 * opened, by what the cluster says then, and takes the place of the first once it is complete; until then the first
 * serves the nodes that are left.
 */
export class RedisClusterWire implements Wire {
  readonly #source: RedisCluster
  readonly #lost: Lost
  #current: Connections | undefined
  #next: Connections | undefined
  #culling = false

  constructor(source: RedisCluster, lost: Lost) {
    this.#source = source
    this.#lost = lost
  }

  get caller(): Caller {
    if (this.#current === undefined) throw new Error('Not connected yet')
    return this.#current.caller
  }

  get ready(): boolean {
    return this.#current !== undefined
  }

  async open(): Promise<void> {
    const next = new Connections(this.#source, this.#current?.cluster.masters ?? [], cause =>
      this.#check(next, cause),
    )
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
    // What was sent over the last ones may still be answered.
    const last = this.#current
    if (last !== undefined) quietly(RETIRE_MS, () => last.end())
    this.#next = undefined
    this.#current = next
    // After the link has taken note that it is open.
    quietly(0, () => this.#check(next, next.cause))
  }

  abandon(): void {
    this.#next?.end()
    this.#next = undefined
  }

  renew(): void {
    // The link opens the next set, and this one serves until it is complete.
  }

  cull(): void {
    if (this.#current === undefined || this.#culling) return
    this.#culling = true
    void this.#current.endSilent().finally(() => {
      this.#culling = false
    })
  }

  drop(): void {
    this.abandon()
    this.#current?.end()
    this.#current = undefined
  }

  #check(checked: Connections, cause: unknown): void {
    if (checked !== this.#current || !checked.isBroken) return
    if (checked.alive.length === 0) {
      this.#current = undefined
      checked.end()
    }
    this.#lost(cause)
  }
}

/** One set of connections, to every master that the cluster had when it was opened, or has come upon since. */
class Connections {
  readonly cluster: RedisCluster
  readonly caller: Caller
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
    this.caller = redisClusterCaller(this.cluster)
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
    this.#opening = this.cluster.connect()
    try {
      await this.#opening
    } catch (error) {
      // node-redis says only that no node could be asked; the event before it why.
      throw this.cause ?? error
    }
    const nodes = Promise.allSettled(this.cluster.masters.map(node => this.cluster.nodeClient(node)))
    // One that hangs must not hold up the rest.
    await within(OPEN_MS / 2, nodes, () => new Error('Connection timeout')).catch(ignore)
  }

  /** Ends the connections that do not answer, or hang before they are ready. */
  async endSilent(): Promise<void> {
    const asked = this.cluster.masters.map(async ({ client }) => {
      if (client?.isReady) {
        await within(PING_MS, client.sendCommand(['PING']), () => new Error('No answer')).catch(() =>
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
    void this.#opening.catch(ignore).finally(() => {
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

// The nodes last known rather than those the user named, which may be gone.
function rootsOf(source: RedisCluster, known: readonly RedisNode[]): object[] {
  const { rootNodes, nodeAddressMap: map } = source._options as {
    rootNodes: readonly { socket?: object }[]
    nodeAddressMap?: Record<string, object> | ((address: string) => object | undefined)
  }
  const alive = known
    .filter(({ client }) => client?.isReady)
    .map(({ address, host, port }) => ({
      socket: (typeof map === 'function' ? map(address) : map?.[address]) ?? { host, port },
    }))
  // They are only asked for the slots: one that hangs is passed over.
  return (alive.length > 0 ? alive : rootNodes).map(node => ({
    ...node,
    socket: { ...node.socket, socketTimeout: DISCOVERY_MS },
  }))
}
