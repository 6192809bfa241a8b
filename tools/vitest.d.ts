import 'vitest'

declare module 'vitest' {
  /** What `inject()` gives to tests of a project with `tools/servers.ts` as its global set-up. */
  interface ProvidedContext {
    /** A Redis server, e.g. `redis://127.0.0.1:41234`. */
    redisUrl: string
    /** A Valkey server. */
    valkeyUrl: string
    /** The masters of a three-node Redis Cluster. */
    clusterNodes: { host: string; port: number }[]
    /** A PostgreSQL server, with `tools/postgres.ts` as the global set-up: `postgres://postgres@127.0.0.1:41234/postgres`. */
    postgresUrl: string
    /** A MariaDB server, with `tools/mysql.ts` as the global set-up: `mysql://root@127.0.0.1:41234/halt`. */
    mysqlUrl: string
  }
}
