import { type Query, rowsOf } from './query.ts'
import { inSchema } from './schema.ts'
import { toStoreError, unexpectedReply } from './store-error.ts'

/** The statements of the store. Each is a call of one function of schema.sql, or one select. */
const TEXTS = {
  decide: 'SELECT halt.decide_v3($1::float8, $2::text, $3::text, $4::bigint) AS reply',
  bucket:
    'SELECT halt.bucket_v3($1::float8, $2::text, $3::float8, $4::float8, $5::float8, $6::float8, $7::float8, $8::bigint) AS reply',
  forget: 'SELECT halt.forget_v3($1::text)::text AS reply',
  sweep: 'SELECT halt.sweep_v3($1::bigint, $2::int)::text AS reply',
  pages: 'SELECT halt.pages_v3()::text AS reply',
  beat: 'SELECT halt.beat_v3($1::text, $2::text, $3::float8)::text AS reply',
  alive:
    "SELECT count(*)::text AS reply FROM halt.instances i WHERE i.prefix = $1::text AND i.seen > clock_timestamp() - $2::float8 * interval '1 second'",
  probe: 'SELECT halt.probe_v3()::text AS reply',
  read: "SELECT d.version || ':' || CASE WHEN d.version = $2::text THEN '' ELSE d.text END AS reply FROM halt.documents d WHERE d.name = $1::text",
  write: 'SELECT halt.write_v3($1::text, $2::text, $3::text, $4::text) AS reply',
} as const

/** Runs the statements of the store. Every error is a {@link StoreError}. */
export class Statements {
  readonly #query: Query
  readonly #texts: Readonly<Record<string, string>>

  constructor(query: Query, schema: string) {
    this.#query = query
    this.#texts = Object.fromEntries(
      Object.entries(TEXTS).map(([name, text]) => [name, inSchema(text, schema)]),
    )
  }

  /** Runs a statement. Resolves to the only value of its only row: a text, or null. Undefined if it gave no row. */
  async run(name: keyof typeof TEXTS, ...params: (string | null)[]): Promise<string | null | undefined> {
    const rows = await this.rows(this.#texts[name] as string, params)
    if (rows.length === 0) return undefined
    const reply = rows[0]?.['reply']
    if (typeof reply === 'string' || reply === null) return reply
    throw unexpectedReply(reply)
  }

  /** Runs a statement whose value is a whole number of at least 0. */
  async count(name: keyof typeof TEXTS, ...params: string[]): Promise<number> {
    const reply = await this.run(name, ...params)
    if (typeof reply === 'string' && /^\d{1,15}$/.test(reply)) return Number(reply)
    throw unexpectedReply(reply)
  }

  /** Runs any statement. Resolves to its rows. */
  async rows(
    text: string,
    params: (string | null)[] = [],
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    try {
      return rowsOf(await this.#query(text, params))
    } catch (error) {
      throw toStoreError(error)
    }
  }
}
