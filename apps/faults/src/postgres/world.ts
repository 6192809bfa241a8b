import { schema } from '@halt/store-postgres'
import pg from 'pg'

import { type RunningPostgres, startPostgres } from '../../../../tools/postgres-server.mjs'
import { type Proxy, startProxy } from '../../../../tools/proxy.ts'

/** The role that clients log in as. It has the rights that docs/postgres.md names. */
export const ROLE = 'app'

// The disk of a test is not to be measured.
const FAST = ['fsync=off']
const GRANTS = `GRANT USAGE ON SCHEMA halt TO ${ROLE};
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA halt TO ${ROLE};`

/** A PostgreSQL of one run, with a proxy in front of it. */
export class PostgresWorld {
  readonly server: RunningPostgres
  readonly proxy: Proxy
  #holder: pg.Client | undefined

  private constructor(server: RunningPostgres, proxy: Proxy) {
    this.server = server
    this.proxy = proxy
  }

  static async start(): Promise<PostgresWorld> {
    const server = await startPostgres(FAST, { copyOf: (await (prepared ??= prepare())).folder })
    return new PostgresWorld(server, await startProxy(server.port))
  }

  /** Runs statements as the superuser, past the proxy. */
  async run(...texts: readonly string[]): Promise<void> {
    const client = await connect(this.server)
    try {
      for (const text of texts) await client.query(text)
    } finally {
      await client.end()
    }
  }

  /** Begins a transaction that runs statements and holds their locks. */
  async hold(text: string): Promise<void> {
    this.#holder = await connect(this.server)
    await this.#holder.query('BEGIN')
    await this.#holder.query(text)
  }

  /** Ends that transaction. */
  async release(): Promise<void> {
    await this.#holder?.end()
    this.#holder = undefined
  }

  /** Makes the tables that are missing, as a deployment does. */
  migrate(): Promise<void> {
    return this.run(`${schema()}${GRANTS}`)
  }

  /** Ends the connections of the application. */
  disconnect(): Promise<void> {
    return this.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${ROLE}'`)
  }

  async stop(): Promise<void> {
    await this.release()
    this.proxy.stop()
    await this.server.stop()
  }
}

// One database with the schema, of which each world gets a copy. It is made once in a process, and removed at its end.
let prepared: Promise<RunningPostgres> | undefined

async function prepare(): Promise<RunningPostgres> {
  const server = await startPostgres(FAST)
  const client = await connect(server)
  await client.query(`CREATE ROLE ${ROLE} LOGIN; ${schema()}${GRANTS}`)
  await client.end()
  await server.end('SIGINT')
  return server
}

/** Removes the database that worlds are copies of. */
export async function clean(): Promise<void> {
  await (await prepared)?.stop()
  prepared = undefined
}

async function connect(server: RunningPostgres): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url })
  // A fault may end its connection.
  client.on('error', () => {})
  await client.connect()
  return client
}
