/** A temporary server on 127.0.0.1 that stores nothing on disk. */
export interface TemporaryRedis {
  readonly url: string
  /** Kills the server, and starts an empty one in its place after some milliseconds. */
  lose(ms: number): Promise<void>
  stop(): Promise<void>
}

/** Starts the first of these programs that is installed, and waits until it answers. Undefined if none is. */
export function startTemporaryRedis(
  ...programs: ('redis-server' | 'valkey-server')[]
): Promise<TemporaryRedis | undefined>
