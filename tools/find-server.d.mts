/** The name of a reverse proxy: of Debian's package and of its program. */
export type WebProxyName = 'nginx' | 'haproxy' | 'caddy'

/** The name of a server program. */
export type ServerProgram =
  | 'redis-server'
  | 'valkey-server'
  | 'postgres'
  | 'initdb'
  | 'pg_basebackup'
  | 'pgbouncer'
  | 'prometheus'
  | WebProxyName

/** The path of a server's program, or undefined. */
export declare function findServer(name: ServerProgram): string | undefined
