import type { ChildProcess } from 'node:child_process'

/** A temporary PostgreSQL on 127.0.0.1. */
export interface RunningPostgres {
  readonly url: string
  readonly port: number
  /** The server's process, which fault tests stop. */
  readonly process: ChildProcess
  /** Ends the server and removes its folder; safe to call twice. */
  stop(): Promise<void>
}

/** Starts a server and waits until it answers. */
export declare function startPostgres(settings?: readonly string[]): Promise<RunningPostgres>
