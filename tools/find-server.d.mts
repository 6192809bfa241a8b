/** The name of a reverse proxy, as Debian's package and its program are called. */
export type WebProxyName = 'nginx' | 'haproxy' | 'caddy'

/** The name of a server program. */
export type ServerName = 'redis-server' | 'valkey-server' | 'prometheus' | WebProxyName

/** The path of a server's program, or undefined. */
export declare function findServer(name: ServerName): string | undefined
