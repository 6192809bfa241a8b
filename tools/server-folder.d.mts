import type { ChildProcess } from 'node:child_process'

/** A server that was started. */
export interface Run {
  readonly ready: Promise<void>
  end(signal: never): Promise<void>
}

/** Makes a temporary folder that a server may write. */
export declare function makeServerFolder(name: string): Promise<string>

/** The user that runs servers, for `spawn`. */
export declare const SERVER_USER: { readonly uid?: number; readonly gid?: number }

/** Starts a server, and keeps it until it is stopped for good, with its folder. `quick` ends it at once. */
export declare function keepServer<R extends Run>(
  run: () => R,
  folder: string,
  quick: NodeJS.Signals,
): Promise<{ running(): R; stop(): Promise<void>; start(): Promise<void> }>

/** Resolves when the log of a server says that it accepts connections. Rejects with the log if it exits first. */
export declare function readyBy(child: ChildProcess, name: string, says: RegExp): Promise<void>
