import { afterFreeTime } from '@halt/core/store'

import { type CommandSender, ioredisClusterSender } from './command-sender.ts'
import { end, IOREDIS_OPTIONS } from './ioredis-transport.ts'
import type { Ioredis, IoredisCluster } from './client-interfaces.ts'
import { ignore, unrefTimeout, withTimeout } from './timer.ts'
import { type LostListener, OPEN_MS, type Transport } from './transport.ts'

const PING_MS = 500

const CLUSTER_OPTIONS: Readonly<Record<string, unknown>> = {
  lazyConnect: true,
  enableOfflineQueue: false,
  // A cluster that is down replies CLUSTERDOWN to each command.
  enableReadyCheck: false,
  scaleReads: 'master',
  clusterRetryStrategy: null,
  clusterNodeRetryStrategy: null,
  retryDelayOnMoved: 0,
  // ioredis would send calls again that may have been executed.
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
  retryDelayOnTryAgain: 10,
  slotsRefreshTimeout: 1_000,
  // The refresh timer would keep the process alive. A redirection and a lost node refresh the slots, too.
  slotsRefreshInterval: undefined,
  enableAutoPipelining: false,
  shardedSubscribers: false,
  showFriendlyErrorStack: false,
  scripts: undefined,
  himportFieldsets: undefined,
}

/**
 * Connections to a cluster, duplicated from the user's ioredis client. ioredis removes a lost node from its pool and sends
 * the next command for its slots to another node, which replies where the slots are now.
 */
export class IoredisClusterTransport implements Transport {
  readonly sender: CommandSender
  readonly #cluster: IoredisCluster
  readonly #reconnected: () => void
  #cause: unknown
  // True only after the nodes are connected, too.
  #isOpen = false
  #isPinging = false

  /** @param reconnected is called when a node was connected that is new or was lost before */
  constructor(source: IoredisCluster, lost: LostListener, reconnected: () => void) {
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
    // A node that hangs must not delay the others.
    await withTimeout(OPEN_MS / 2, Promise.all(masters), () => new Error('Connection timeout')).catch(ignore)
    this.#isOpen = true
  }

  abandon(): void {
    this.disconnect()
  }

  leaveDemoted(): void {
    // A node that lost its slots replies MOVED, and ioredis follows that.
  }

  endUnresponsive(): void {
    if (this.#isPinging) return
    this.#isPinging = true
    const asked = this.#cluster.nodes('master').map(async node => {
      if (node.status !== 'ready') return
      await withTimeout(PING_MS, node.call('ping', []), () => new Error('No answer')).catch(() => end(node))
    })
    void Promise.all(asked).finally(() => {
      this.#isPinging = false
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
    // Commands do not wait for a node, so a node that never gets ready is ended here.
    const endUnready = (): void => {
      if (node.status !== 'ready' && node.status !== 'wait') end(node)
    }
    afterFreeTime(OPEN_MS, endUnready, true)
  }
}

// ioredis would open a node at its first command, and reject commands until it is open.
async function connect(node: Ioredis): Promise<void> {
  if (node.status === 'wait') await node.connect().catch(ignore)
}
