import type { CommandSender } from './command-sender.ts'
import { NodeConnections } from './redis-node-connections.ts'
import type { RedisCluster, RedisNode } from './client-interfaces.ts'
import { unrefTimeout } from './timer.ts'
import type { Lost, Transport } from './transport.ts'

const RETIRE_MS = 1_000

/**
 * Connections to a cluster, made from the user's node-redis client. When a node is lost another set of connections is
 * opened, by what the cluster says then, and takes the place of the first once it is complete; until then the first
 * serves the nodes that are left.
 */
export class RedisClusterTransport implements Transport {
  readonly #source: RedisCluster
  readonly #lost: Lost
  // The masters last known: those the user named may be gone.
  #known: readonly RedisNode[] = []
  #current: NodeConnections | undefined
  #next: NodeConnections | undefined
  #culling = false

  constructor(source: RedisCluster, lost: Lost) {
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
    // What was sent over the last ones may still be answered.
    const last = this.#current
    if (last !== undefined) unrefTimeout(RETIRE_MS, () => last.end())
    this.#next = undefined
    this.#current = next
    // After the link has taken note that it is open.
    unrefTimeout(0, () => this.#check(next, next.cause))
  }

  abandon(): void {
    this.#next?.end()
    this.#next = undefined
  }

  leaveDemoted(): void {
    // The link opens the next set, and this one serves until it is complete.
  }

  endUnresponsive(): void {
    if (this.#current === undefined || this.#culling) return
    this.#culling = true
    void this.#current.endSilent().finally(() => {
      this.#culling = false
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
