/** The limit of all contestants: `limit` units in `windowMs`, by any algorithm. */
export interface Task {
  readonly limit: number
  readonly windowMs: number
}

/** The algorithm of a contestant. */
export type Answer = 'token bucket' | 'fixed window' | 'sliding window' | 'log'

/** A limiter that is ready. `A` is the type of its own answer. */
export interface Opened<A> {
  /** Runs one check, as its middleware does. */
  ask(key: string): A | Promise<A>
  /** True if an answer admits the request. */
  admits(answer: A): boolean
  /** True if `ask` has rejected because it refuses the request. Without it, every rejection is an error. */
  isRefusal?(reason: unknown): boolean
  /** Charges a key once, where `ask` only reads. */
  prepare?(key: string): unknown
  close?(): unknown
}

/** A limiter in memory that is measured. */
export interface MemoryContestant<A = unknown> {
  readonly name: string
  readonly answer: Answer
  /** True if each check returns a promise. */
  readonly isAsync: boolean
  /** The keys that it is asked about. Default `names`, of 20 characters. */
  readonly keys?: 'names' | 'addresses'
  open(task: Task): Opened<A> | Promise<Opened<A>>
}

/** The client library that carries the commands. */
export type ClientName = 'ioredis' | 'node-redis'

/** A limiter over Redis that is measured. */
export interface RedisContestant<A = unknown> {
  readonly name: string
  readonly answer: Answer
  readonly clients: readonly ClientName[]
  /** True if it is measured under attack: few keys, all far above a small limit, so that every check is refused. */
  readonly isAttacked?: boolean
  open(url: string, client: ClientName, task: Task): Promise<Opened<A>>
}
