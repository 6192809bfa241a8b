/** The name of a server program. */
export type ServerName = 'redis-server' | 'valkey-server' | 'prometheus'

/** The path of `redis-server` or `valkey-server`, or undefined. */
export declare function findServer(name: ServerName): string | undefined
