import type { ChildProcess } from 'node:child_process'

/** A temporary MariaDB on 127.0.0.1. */
export interface RunningMariadb {
  /** Of the user root, without a password, and the database `halt`. */
  readonly url: string
  readonly port: number
  readonly process: ChildProcess
  /** Ends the server and removes its folder; safe to call twice. */
  stop(): Promise<void>
  /** Ends the server and keeps its data. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again on its port, with its data. */
  start(): Promise<void>
}

/** Starts a server and waits until it answers. */
export declare function startMariadb(settings?: readonly string[]): Promise<RunningMariadb>
