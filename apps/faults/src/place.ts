/** The servers that faults happen to. */
export type ServerName = 'redis' | 'valkey' | 'cluster'
/** The client libraries. */
export type ClientName = 'ioredis' | 'node-redis'

/** Where a scene is played. */
export interface Place {
  readonly server: ServerName
  readonly client: ClientName
}
