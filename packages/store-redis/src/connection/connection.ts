import type { Warn } from '@halt/core'

/** A Lua script and the SHA-1 of its text, 40 hexadecimal digits. */
export interface Script {
  readonly sha: string
  readonly source: string
}

/** Runs a script in Redis: what a user gives where no client fits. */
export type Run = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>

/** What kind of Redis a link leads to. */
export type Topology = 'single' | 'cluster' | 'sentinel' | 'unknown'

/**
 * A way to Redis. It queues nothing and repeats nothing: what cannot be sent now, or is not answered, rejects with a
 * {@link StoreError}.
 */
export interface Connection {
  /**
   * Runs a script by EVALSHA, and by EVAL once, on the same node, where the server does not know it. On a cluster all
   * keys are of one hash slot.
   */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /**
   * Sends any other command, its name first. `key` names the node on a cluster, and gets the client's key prefix where
   * it is the first argument.
   */
  command(args: readonly string[], key?: string): Promise<unknown>
  readonly topology: Topology
  /** Whether there is an open connection now; when not, calls reject at once. */
  readonly ready: boolean
  /** Settles, and never rejects, when the first attempt to connect has ended, well or not. */
  readonly opened: Promise<void>
  /** Ends what was opened here, and stops watching the user's client. */
  close(): Promise<void>
}

/** What a link is made of: a client or a runner. */
export interface ConnectionOptions {
  readonly client?: unknown
  readonly run?: Run | undefined
  /** A connection of the link's own, made from the client, or the client's. */
  readonly connection: 'own' | 'shared'
  readonly warn: Warn
  /** Told when a connection was opened anew; not of the first. */
  readonly reconnected?: (() => void) | undefined
}
