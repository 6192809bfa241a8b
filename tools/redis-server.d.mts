/** A temporary server on 127.0.0.1 that stores nothing on disk. */
export interface TemporaryRedis {
  readonly url: string
  stop(): Promise<void>
}

/** Starts the first of these programs that is installed, and waits until it answers. Undefined if none is. */
export function startTemporaryRedis(
  ...programs: ('redis-server' | 'valkey-server')[]
): Promise<TemporaryRedis | undefined>
