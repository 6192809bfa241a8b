/** The servers that faults run on. */
export type ServerName = RedisName | 'postgres'
/** Those that speak the protocol of Redis. */
export type RedisName = 'redis' | 'valkey' | 'cluster'
/** The client libraries. */
export type ClientName = RedisClient | PostgresClient
export type RedisClient = 'ioredis' | 'node-redis'
export type PostgresClient = 'pg' | 'postgres.js'

/** The server and the client that a scene runs with. */
export interface Place {
  readonly server: ServerName
  readonly client: ClientName
}

/** A place whose server speaks the protocol of Redis. */
export interface RedisPlace extends Place {
  readonly server: RedisName
  readonly client: RedisClient
}

/** The client libraries of each server. */
export const CLIENTS = {
  redis: ['ioredis', 'node-redis'],
  valkey: ['ioredis', 'node-redis'],
  cluster: ['ioredis', 'node-redis'],
  postgres: ['pg', 'postgres.js'],
} as const satisfies Readonly<Record<ServerName, readonly [ClientName, ClientName]>>

/** Narrows a place whose scene runs on servers of Redis alone. */
export function redisPlace(place: Place): RedisPlace {
  if (place.server === 'postgres') throw new Error('This scene does not run on PostgreSQL.')
  return place as RedisPlace
}

/** Narrows a place whose scene runs on PostgreSQL. */
export function postgresPlace(place: Place): Place & { readonly client: PostgresClient } {
  if (place.server !== 'postgres') throw new Error('This scene runs on PostgreSQL alone.')
  return place as Place & { readonly client: PostgresClient }
}
