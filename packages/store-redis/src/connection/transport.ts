import type { CommandSender } from './command-sender.ts'

/** A connection of the link's own, over and over: opened, lost, opened again. It never opens itself again. */
export interface Transport {
  readonly sender: CommandSender
  /** Whether commands can be sent. */
  readonly ready: boolean
  /** Opens it, or what is missing of it; rejects when that did not work. */
  open(): Promise<void>
  /** Gives up opening it. */
  abandon(): void
  /** Ends what leads to a server that may no longer be the right one. */
  leaveDemoted(): void
  /** Ends what no longer answers; `silent` when nothing at all was answered lately. */
  endUnresponsive(silent: boolean): void
  /** Ends it all; it may be opened again. */
  disconnect(): void
}

/** Told when a wire broke, and why. */
export type Lost = (cause: unknown) => void

/** How long a server may take to accept a connection, milliseconds: long enough to send a lost packet twice. */
export const CONNECT_MS = 1_500
/** How long a connection may take until commands can be sent, milliseconds. */
export const OPEN_MS = 2_000
