/** What is used of the clients, by shape: no type of theirs is needed, neither to build nor to run. */

/** An event emitter of Node's. */
export interface Emitter {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off(event: string, listener: (...args: unknown[]) => void): unknown
  listenerCount(event: string): number
}

/** What both ioredis clients do. */
export interface IoredisCommands extends Emitter {
  /** `wait`, `connecting`, `connect`, `ready`, `close`, `reconnecting`, `end`. */
  readonly status: string
  connect(): Promise<unknown>
  disconnect(): void
  evalsha(sha: string, count: number, keys: readonly string[], args: readonly string[]): Promise<unknown>
  eval(source: string, count: number, keys: readonly string[], args: readonly string[]): Promise<unknown>
  call(name: string, args: readonly string[]): Promise<unknown>
}

/** An ioredis client of one server, found by address or through Sentinel. */
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
  /** By slot: the addresses of the nodes that serve it, the master first. */
  readonly slots: readonly (readonly string[] | undefined)[]
  readonly startupNodes?: readonly unknown[]
  nodes(role: 'master' | 'all'): Ioredis[]
  duplicate(startupNodes: readonly unknown[], overrides: object): IoredisCluster
}

/** How node-redis wants the replies to one command. */
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
  /** How many of its clients are connected and not lent. */
  readonly idleClients: number
  execute<T>(use: (client: RedisClient) => T): Promise<T>
  sendCommand(args: readonly string[], options?: ReplyOptions): Promise<unknown>
}

/** A node-redis client of a master found through Sentinel. */
export interface RedisSentinel extends Emitter {
  readonly isOpen: boolean
  readonly isReady: boolean
  /** Lends the master's client, after a failover the new one's. */
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
