import type { PooledConnection } from './pool.ts'

// Above the second for which a statement waits for a lock. Without it a server that hangs keeps its connections for ever.
const STATEMENT_MS = 3_000

/**
 * Runs statements on a connection. Those whose answer nobody needs wait for the next one: where the pool has `multipleStatements`, they
 * travel together, otherwise one after the other.
 */
export class Session {
  readonly #connection: PooledConnection
  readonly #isMultiple: boolean
  #waiting: string[] = []

  constructor(connection: PooledConnection) {
    this.#connection = connection
    const { config } = driverConnection(connection) as { config?: { multipleStatements?: unknown } }
    this.#isMultiple = config?.multipleStatements === true
  }

  /** Runs a statement before the next one of {@link run}. */
  later(sql: string): void {
    this.#waiting.push(sql)
  }

  /** Runs the statements that wait, then this one. Resolves to its rows, each a list, or to the header of its result. */
  async run(sql: string): Promise<unknown> {
    const before = this.#waiting
    this.#waiting = []
    if (before.length === 0) return this.#query(sql)
    if (this.#isMultiple) return ((await this.#query([...before, sql].join(';\n'))) as unknown[]).at(-1)
    for (const one of before) await this.#query(one)
    return this.#query(sql)
  }

  /** Runs the statements that wait, unless they can travel with the next one. */
  async flush(): Promise<void> {
    const last = this.#isMultiple ? undefined : this.#waiting.pop()
    if (last !== undefined) await this.run(last)
  }

  async #query(sql: string): Promise<unknown> {
    const [result] = await this.#connection.query({
      sql,
      rowsAsArray: true,
      typeCast: true,
      nestTables: false,
      timeout: STATEMENT_MS,
    })
    return result
  }
}

/** The connection of mysql2 itself, of which a pool with promises gives a new wrapper each time. */
export function driverConnection(connection: PooledConnection): object {
  return (connection as { connection?: object }).connection ?? connection
}
