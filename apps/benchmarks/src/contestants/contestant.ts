/** What all contestants are asked for: `limit` units in `windowMs`; how they count is their own affair. */
export interface Task {
  readonly limit: number
  readonly windowMs: number
}

/** How a contestant counts: the honest name of its answer. */
export type Answer = 'token bucket' | 'fixed window' | 'sliding window' | 'log'

/** A limiter that is ready to be asked. `A` is its own answer, in its own form. */
export interface Opened<A> {
  /** One check, as its middleware makes it. */
  ask(key: string): A | Promise<A>
  /** Whether an answer lets the request in. */
  admits(answer: A): boolean
  close?(): unknown
}

/** A limiter in memory that is measured. */
export interface MemoryContestant<A = unknown> {
  readonly name: string
  readonly answer: Answer
  /** Whether each check gives a promise that has to be awaited. */
  readonly isAsync: boolean
  open(task: Task): Opened<A> | Promise<Opened<A>>
}

/** The client library that carries the commands. */
export type ClientName = 'ioredis' | 'node-redis'

/** A limiter over Redis that is measured. */
export interface RedisContestant<A = unknown> {
  readonly name: string
  readonly answer: Answer
  readonly clients: readonly ClientName[]
  open(url: string, client: ClientName, task: Task): Promise<Opened<A>>
}
