/** The parts of the client libraries that Halt uses, so that it needs no types of theirs. */

/** A Node event emitter. */
export interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off(event: string, listener: (...args: unknown[]) => void): unknown
  listenerCount(event: string): number
}

/** The methods that both ioredis clients have. */
export interface IoredisCommands extends Emitter {
  /** `wait`, `connecting`, `connect`, `ready`, `close`, `reconnecting`, `end`. */
  readonly status: string
  connect(): Promise<unknown>
  disconnect(): void
  evalsha(sha: string, count: number, keys: readonly string[], args: readonly string[]): Promise<unknown>
  eval(source: string, count: number, keys: readonly string[], args: readonly string[]): Promise<unknown>
  call(name: string, args: readonly string[]): Promise<unknown>
}

/** An ioredis client of one server, by address or through Sentinel. */
export interface Ioredis extends IoredisCommands {
  readonly isCluster?: false
  readonly options: Readonly<Record<string, unknown>>
  readonly stream?: { unref?(): unknown; destroy?(): unknown } | undefined
  duplicate(overrides: object): Ioredis
}

/** An ioredis client of a cluster. */
export interface IoredisCluster extends IoredisCommands {
  readonly isCluster: true
  readonly options: Readonly<Record<string, unknown>>
  /** For each slot the addresses of its nodes, the master first. */
  readonly slots: readonly (readonly string[] | undefined)[]
  readonly startupNodes?: readonly unknown[]
  nodes(role: 'master' | 'all'): Ioredis[]
  duplicate(startupNodes: readonly unknown[], overrides: object): IoredisCluster
}

/** Options of node-redis for the reply to one command. */
export interface ReplyOptions {
  readonly typeMapping: object
}

/** A node-redis client of one server. */
export interface RedisClient extends Emitter {
  readonly isOpen: boolean
  readonly isReady: boolean
  readonly options?: Readonly<Record<string, unknown>> | undefined
  connect(): Promise<unknown>
  destroy(): void
  unref(): void
  duplicate(overrides: object): RedisClient
  sendCommand(args: readonly string[], options?: ReplyOptions): Promise<unknown>
}

/** A node-redis pool of clients of one server. */
export interface RedisPool extends Emitter {
  readonly isOpen: boolean
  /** The number of its clients that are connected and not lent. */
  readonly idleClients: number
  execute<T>(use: (client: RedisClient) => T): Promise<T>
  sendCommand(args: readonly string[], options?: ReplyOptions): Promise<unknown>
}

/** A node-redis client of a master that Sentinel names. */
export interface RedisSentinel extends Emitter {
  readonly isOpen: boolean
  readonly isReady: boolean
  /** Lends the client of the present master. */
  _execute<T>(isReadonly: boolean, use: (client: RedisClient) => Promise<T>): Promise<T>
  sendCommand(isReadonly: boolean, args: readonly string[], options?: ReplyOptions): Promise<unknown>
}

/** One node of a node-redis cluster. */
export interface RedisNode {
  readonly address: string
  readonly host: string
  readonly port: number
  readonly client?: RedisClient | undefined
  readonly connectPromise?: unknown
}

/** A node-redis client of a cluster. */
export interface RedisCluster extends Emitter {
  readonly isOpen: boolean
  readonly isReady?: boolean
  readonly _options: Readonly<Record<string, unknown>>
  readonly slots: readonly ({ readonly master: RedisNode } | undefined)[]
  readonly masters: readonly RedisNode[]
  readonly nodeByAddress: ReadonlyMap<string, RedisNode>
  connect(): Promise<unknown>
  destroy(): void
  duplicate(overrides: object): RedisCluster
  nodeClient(node: RedisNode): Promise<RedisClient>
  sendCommand(
    key: string | undefined,
    isReadonly: boolean,
    args: readonly string[],
    options?: ReplyOptions,
  ): Promise<unknown>
}
