import { type Caller, redisClusterCaller } from './caller.ts'
import { end, redisOptions } from './redis-wire.ts'
import type { RedisCluster, RedisNode } from './shapes.ts'
import { quietly, within } from './timer.ts'
import type { Lost, Wire } from './wire.ts'

const PING_MS = 500
const DISCOVERY_MS = 1_000
const RETIRE_MS = 1_000

interface Generation {
  readonly cluster: RedisCluster
  readonly caller: Caller
  readonly abort: AbortController
}

/**
 * Connections to a cluster, made from the user's node-redis client. When a node is lost another set of connections is
 * opened, by what the cluster says then, and takes the place of the first once it is complete; until then the first
 * serves the nodes that are left.
 */
export class RedisClusterWire implements Wire {
  readonly #source: RedisCluster
  readonly #lost: Lost
  #current: Generation | undefined
  #next: Generation | undefined
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
    const next = this.#make()
    this.#next = next
    let cause: unknown
    next.cluster.on('error', error => {
      cause = error
    })
    try {
      await next.cluster.connect()
    } catch (error) {
      discard(next)
      // node-redis says only that no node could be asked.
      throw cause ?? error
    }
    if (this.#next !== next) throw new Error('Given up')
    const last = this.#current
    this.#next = undefined
    this.#current = next
    // What was sent over the last one may still be answered.
    if (last !== undefined) quietly(RETIRE_MS, () => discard(last))
    this.#check(next, new Error('A node was lost while connecting'))
  }

  abandon(): void {
    if (this.#next === undefined) return
    discard(this.#next)
    this.#next = undefined
  }

  renew(): void {
    // The link opens the next set, and this one serves until it is complete.
  }

  cull(): void {
    const { cluster } = this.#current ?? {}
    if (cluster === undefined || this.#culling) return
    this.#culling = true
    const asked = cluster.masters.map(async ({ client }) => {
      if (!client?.isReady) return
      await within(PING_MS, client.sendCommand(['PING']), () => new Error('No answer')).catch(() =>
        end(client),
      )
    })
    void Promise.all(asked).finally(() => {
      this.#culling = false
    })
  }

  drop(): void {
    this.abandon()
    const current = this.#current
    this.#current = undefined
    if (current !== undefined) discard(current)
  }

  #make(): Generation {
    const abort = new AbortController()
    const { defaults } = this.#source._options as { defaults?: { socket?: unknown } }
    const overrides = redisOptions(abort.signal, defaults?.socket)
    const cluster = this.#source.duplicate({
      commandOptions: overrides['commandOptions'],
      clientSideCache: undefined,
      minimizeConnections: false,
      useReplicas: false,
      topologyRefreshOnReconnectionAttemptStrategy: false,
      rootNodes: this.#roots(),
      defaults: { ...defaults, ...overrides },
    })
    const generation = { cluster, caller: redisClusterCaller(cluster), abort }
    cluster.on('error', () => {})
    const unref = (): void => {
      for (const { client } of cluster.nodeByAddress.values()) client?.unref()
    }
    const check = (cause: unknown): void => queueMicrotask(() => this.#check(generation, cause))
    cluster.on('node-connect', unref)
    cluster.on('node-error', check)
    cluster.on('node-disconnect', () => check(new Error('A node of the cluster was lost')))
    return generation
  }

  // The nodes last known come first: those the user named may be gone.
  #roots(): object[] {
    const { rootNodes, nodeAddressMap } = this.#source._options as {
      rootNodes: readonly { socket?: object }[]
      nodeAddressMap?: Record<string, object> | ((address: string) => object | undefined)
    }
    const addressOf = ({ address, host, port }: RedisNode): object =>
      (typeof nodeAddressMap === 'function' ? nodeAddressMap(address) : nodeAddressMap?.[address]) ?? {
        host,
        port,
      }
    const alive = this.#current?.cluster.masters.filter(({ client }) => client?.isReady) ?? []
    const known = alive.map(node => ({ socket: addressOf(node) }))
    // Only the asking for slots is done with these: one that hangs is passed over.
    return (known.length > 0 ? known : rootNodes).map(node => ({
      ...node,
      socket: { ...node.socket, socketTimeout: DISCOVERY_MS },
    }))
  }

  #check(generation: Generation, cause: unknown): void {
    if (generation !== this.#current) return
    const { masters } = generation.cluster
    const left = masters.filter(
      ({ client, connectPromise }) => client?.isOpen || connectPromise !== undefined,
    )
    if (left.length === masters.length) return
    if (left.length === 0) {
      this.#current = undefined
      discard(generation)
    }
    this.#lost(cause)
  }
}

// One by one, since in node-redis 5 the first that is closed already would save the others.
function discard({ cluster, abort }: Generation): void {
  for (const { client } of cluster.nodeByAddress.values()) end(client)
  try {
    cluster.destroy()
  } catch {
    // Closed already.
  }
  abort.abort()
}
