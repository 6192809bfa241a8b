/** The servers that faults run on. */
export type ServerName = 'redis' | 'valkey' | 'cluster'
/** The client libraries. */
export type ClientName = 'ioredis' | 'node-redis'

/** The server and the client that a scene runs with. */
export interface Place {
  readonly server: ServerName
  readonly client: ClientName
}
