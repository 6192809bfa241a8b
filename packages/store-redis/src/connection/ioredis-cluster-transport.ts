import { afterFreeTime } from '@halt/core/store'

import { type CommandSender, ioredisClusterSender } from './command-sender.ts'
import { end, IOREDIS_OPTIONS } from './ioredis-transport.ts'
import type { Ioredis, IoredisCluster } from './client-interfaces.ts'
import { ignore, unrefTimeout, withTimeout } from './timer.ts'
import { type Lost, OPEN_MS, type Transport } from './transport.ts'

const PING_MS = 500

const CLUSTER_OPTIONS: Readonly<Record<string, unknown>> = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // A cluster that is down says so at each command.
  enableReadyCheck: false,
  scaleReads: 'master',
  clusterRetryStrategy: null,
  clusterNodeRetryStrategy: null,
  retryDelayOnMoved: 0,
  // ioredis would send again what may have been carried out.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 10,
  slotsRefreshTimeout: 1_000,
  // Its timer would keep the process alive. A redirection, or a lost node, refreshes too.
  slotsRefreshInterval: undefined,
  enableAutoPipelining: false,
  shardedSubscribers: false,
  showFriendlyErrorStack: false,
  scripts: undefined,
  himportFieldsets: undefined,
}

/**
 * Connections to a cluster, made from the user's ioredis client. A node that is lost leaves ioredis's pool; the next
 * command for its slots goes to another, which says where they are now.
 */
export class IoredisClusterTransport implements Transport {
  readonly sender: CommandSender
  readonly #cluster: IoredisCluster
  readonly #reconnected: () => void
  #cause: unknown
  // Only once its nodes are connected, too.
  #isOpen = false
  #culling = false

  /** @param reconnected is told when a node was connected that was not there, or was lost, before */
  constructor(source: IoredisCluster, lost: Lost, reconnected: () => void) {
    this.#reconnected = reconnected
    this.#cluster = source.duplicate([], { ...CLUSTER_OPTIONS, redisOptions: IOREDIS_OPTIONS })
    this.sender = ioredisClusterSender(this.#cluster)
    this.#cluster.on('error', error => {
      this.#cause = error
    })
    this.#cluster.on('node error', error => {
      this.#cause = error
    })
    this.#cluster.on('+node', node => this.#added(node as Ioredis))
    this.#cluster.on('end', () => lost(this.#cause ?? new Error('Connection is closed.')))
  }

  get ready(): boolean {
    return this.#isOpen && this.#cluster.status === 'ready'
  }

  async open(): Promise<void> {
    if (this.ready) return
    this.#cause = undefined
    try {
      await this.#cluster.connect()
    } catch (error) {
      throw this.#cause ?? error
    }
    const masters = this.#cluster.nodes('master').map(connect)
    // One that hangs must not hold up the rest.
    await withTimeout(OPEN_MS / 2, Promise.all(masters), () => new Error('Connection timeout')).catch(ignore)
    this.#isOpen = true
  }

  abandon(): void {
    this.disconnect()
  }

  leaveDemoted(): void {
    // A node that moved says so by itself.
  }

  endUnresponsive(): void {
    if (this.#culling) return
    this.#culling = true
    const asked = this.#cluster.nodes('master').map(async node => {
      if (node.status !== 'ready') return
      await withTimeout(PING_MS, node.call('ping', []), () => new Error('No answer')).catch(() => end(node))
    })
    void Promise.all(asked).finally(() => {
      this.#culling = false
    })
  }

  disconnect(): void {
    this.#isOpen = false
    if (this.#cluster.status === 'wait' || this.#cluster.status === 'end') return
    const nodes = this.#cluster.nodes('all')
    this.#cluster.disconnect()
    for (const node of nodes) end(node)
  }

  #added(node: Ioredis): void {
    node.on('connect', () => node.stream?.unref?.())
    if (node.options['readOnly'] === true) return
    unrefTimeout(0, () => {
      if (this.ready) void connect(node).then(this.#reconnected)
    })
    // Commands wait for nothing, so nobody would notice one that never gets ready.
    const endUnready = (): void => {
      if (node.status !== 'ready' && node.status !== 'wait') end(node)
    }
    afterFreeTime(OPEN_MS, endUnready, true)
  }
}

// ioredis opens a node at its first command, and refuses the others until it is open.
async function connect(node: Ioredis): Promise<void> {
  if (node.status === 'wait') await node.connect().catch(ignore)
}
