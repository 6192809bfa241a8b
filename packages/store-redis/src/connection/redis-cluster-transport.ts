import type { CommandSender } from './command-sender.ts'
import { NodeConnections } from './redis-node-connections.ts'
import type { RedisCluster, RedisNode } from './client-interfaces.ts'
import { unrefTimeout } from './timer.ts'
import type { LostListener, Transport } from './transport.ts'

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
