// The parts of Cloudflare's runtime that the package uses. Its own types would clash with the types of other runtimes.

/** Where a new Durable Object is created. */
export type LocationHint = 'wnam' | 'enam' | 'sam' | 'weur' | 'eeur' | 'apac' | 'oc' | 'afr' | 'me'

/** A binding to a class of Durable Objects: `env.HALT`. */
export interface ObjectNamespace {
  idFromName(name: string): unknown
  get(id: never, options?: { locationHint?: LocationHint }): ObjectStub
}

/** One Durable Object, as a Worker sees it. */
export interface ObjectStub {
  fetch(url: string, init: { method: string; body: string }): PromiseLike<ObjectReply>
}

/** The response of a Durable Object. */
interface ObjectReply {
  readonly status: number
  text(): Promise<string>
}

/** The state of a Durable Object, as its constructor gets it. */
export interface ObjectState {
  readonly storage: ObjectStorage
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>
}

/** The storage of a Durable Object whose class is backed by SQLite. */
export interface ObjectStorage {
  readonly sql: Sql
  transactionSync<T>(work: () => T): T
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
  deleteAll(): Promise<void>
}

/** The database of a Durable Object. Its calls are synchronous. */
export interface Sql {
  exec(query: string, ...bindings: (string | number | ArrayBuffer | Uint8Array)[]): Cursor
}

/** The result of a query. */
interface Cursor {
  toArray(): Record<string, unknown>[]
  readonly rowsWritten: number
}
