import type { ChildProcess } from 'node:child_process'

/** A temporary PostgreSQL on 127.0.0.1. */
export interface RunningPostgres {
  readonly url: string
  readonly port: number
  /** Its first process, which starts one for each connection. */
  readonly process: ChildProcess
  /** The folder of its data. */
  readonly folder: string
  /** Ends the server and removes its folder; safe to call twice. */
  stop(): Promise<void>
  /** Ends the server and keeps its data. */
  end(signal: EndSignal): Promise<void>
  /** Starts it again on its port, with its data. */
  start(): Promise<void>
  /** Stops all its processes with `SIGSTOP`. */
  freeze(): void
  /** Lets them go on. */
  thaw(): void
}

/** How a server ends: `SIGINT` with a checkpoint, `SIGQUIT` without one, `SIGKILL` all its processes at once. */
export type EndSignal = 'SIGINT' | 'SIGQUIT' | 'SIGKILL'

/** The data that a server starts with. Default: an empty database. */
export interface PostgresData {
  /** A folder of data whose server has ended. */
  readonly copyOf?: string
  /** A server whose hot standby it becomes. */
  readonly standbyOf?: RunningPostgres
}

/** Starts a server and waits until it answers. */
export declare function startPostgres(
  settings?: readonly string[],
  data?: PostgresData,
): Promise<RunningPostgres>
