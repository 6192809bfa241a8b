import type { Warn } from '@halt/core'

/** A Lua script: its text and the SHA-1 of the text, 40 hexadecimal digits. */
export interface Script {
  readonly sha: string
  readonly source: string
}

/** A function of the user's that runs a script, for clients that Halt does not know. */
export type Run = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<unknown>

/** The kind of Redis set-up that a connection leads to. */
export type Topology = 'single' | 'cluster' | 'sentinel' | 'unknown'

/**
 * A connection to Redis, or a set of them to a cluster. Calls reject with a StoreError if they fail. What is queued or sent
 * again is told in README.md of this folder.
 */
export interface Connection {
  /**
   * Runs a script by EVALSHA. If the server does not know it, runs it by EVAL once, on the same node. On a cluster all
   * keys are in one hash slot.
   */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>
  /**
   * Sends any other command, its name first. `key` chooses the node of a cluster. If `key` is also the first argument, it
   * gets the client's key prefix.
   */
  command(args: readonly string[], key?: string): Promise<unknown>
  readonly topology: Topology
  /** Whether the connection is open now. If not, calls reject at once. */
  readonly ready: boolean
  /** Resolves when the first attempt to connect has ended, even if it failed. */
  readonly opened: Promise<void>
  /** Ends the connections that the store opened, and stops watching the user's client. */
  close(): Promise<void>
}

/** Options of openConnection. Exactly one of `client` and `run` is given. */
export interface ConnectionOptions {
  readonly client?: unknown
  readonly run?: Run | undefined
  /** `own`: a connection made from the client. `shared`: the client itself. */
  readonly connection: 'own' | 'shared'
  readonly warn: Warn
  /** Called when a connection was opened again, not for the first. */
  readonly reconnected?: (() => void) | undefined
}
