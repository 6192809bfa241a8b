import type { CommandSender } from './command-sender.ts'

/**
 * One client of a library, or a set of them to a cluster, that OwnConnection opens, loses and opens again. It never
 * opens itself again.
 */
export interface Transport {
  readonly sender: CommandSender
  /** Whether commands can be sent. */
  readonly ready: boolean
  /** Opens the connections, or the missing ones. Rejects if that fails. */
  open(): Promise<void>
  /** Gives up an attempt to open. */
  abandon(): void
  /** Ends a connection to a server that is no longer the master. */
  leaveDemoted(): void
  /** Ends the connections without replies. `silent`: there was no reply at all lately. */
  endUnresponsive(silent: boolean): void
  /** Ends all connections. It may be opened again. */
  disconnect(): void
}

/** Called with the cause when a transport has lost a connection. */
export type LostListener = (cause: unknown) => void

/** The longest that a server may take to accept a connection, milliseconds. A lost packet can be sent twice in this time. */
export const CONNECT_MS = 1_500
/** The longest that a connection may take until commands can be sent, milliseconds. */
export const OPEN_MS = 2_000
