import { type Change, type Digest, makeDigest, StoreMisread } from '@halt/core/store'

/** The server's clock, in microseconds since the Unix epoch. `now()` would repeat an hour each year. */
export const SERVER_NOW = "timestampdiff(microsecond, '1970-01-01', utc_timestamp(6))"

/** What a statement that reads values tells. */
export interface Found {
  /** The values by the names of their rows; empty rows are left out. */
  readonly values: ReadonlyMap<string, string>
  /** The server's clock, in milliseconds. */
  readonly now: number
}

// No byte that a literal needs to escape in any SQL mode. A name that begins with # would look like a digest.
const SAFE = /^(?!#)[\x20-\x26\x28-\x5b\x5d-\x7e]{1,255}$/
const NUMBERS = /^[\d .e+-]*$/

/**
 * The statements on the table of the counters.
 *
 * A row has the key `k`, the value `v`, and `e`: the Unix milliseconds from which it may go. An empty value is that of a fresh counter:
 * the row was made to be locked. The bytes of a key are compared, because a collation takes "Bob" for "bob".
 */
export class Table {
  readonly name: string
  readonly #digest: Digest = makeDigest()

  constructor(name: string) {
    this.name = `\`${name}\``
  }

  /** The statement that makes the table. */
  get schema(): string {
    return `create table if not exists ${this.name} (
  k varbinary(255) not null primary key,
  v mediumblob not null,
  e bigint not null
) engine = InnoDB`
  }

  /** The name of a key's row, which is safe in a literal: the key, or a digest of it. */
  nameOf(key: string): string {
    return SAFE.test(key) ? key : `#${this.#digest(key)}`
  }

  /** Makes the rows that are missing, and locks all, in this order. */
  make(names: readonly string[]): string {
    const rows = names.map(name => `('${name}', '', 0)`).join(', ')
    return `insert into ${this.name} (k, v, e) values ${rows} on duplicate key update k = ${this.name}.k`
  }

  /** Reads rows and the server's clock. */
  read(names: readonly string[]): string {
    // One row tells the clock, where there is no other.
    const rows = `select k, v from ${this.name} where ${isOneOf(names)}`
    return `select r.k, r.v, ${SERVER_NOW} from (select 1) as one left join (${rows}) as r on true`
  }

  write(changes: readonly Change[]): string {
    const rows = changes.map(({ key, value, expiresAt }) =>
      value === undefined
        ? `('${this.nameOf(key)}', '', 0)`
        : `('${this.nameOf(key)}', ${literalOf(value)}, ${Math.ceil(expiresAt)})`,
    )
    return `insert into ${this.name} (k, v, e) values ${rows.join(', ')} on duplicate key update v = values(v), e = values(e)`
  }

  remove(names: readonly string[]): string {
    return `delete from ${this.name} where ${isOneOf(names)} and v <> ''`
  }

  /** Reads what follows a name in the order of the keys: the name of each row, and 1 if it may go. */
  scan(after: string, most: number): string {
    return `select k, ${IS_OVER} from ${this.name} where k > '${after}' order by k limit ${most}`
  }

  /** Locks those rows that may go and that nobody else has locked. */
  lockOver(names: readonly string[]): string {
    return `select k from ${this.name} where ${isOneOf(names)} and ${IS_OVER} for update skip locked`
  }

  removeOver(names: readonly string[]): string {
    return `delete from ${this.name} where ${isOneOf(names)}`
  }

  /** Writes that a process lives for so many milliseconds. */
  beat(name: string, ttl: number): string {
    const until = `${SERVER_NOW} div 1000 + ${ttl}`
    return `insert into ${this.name} (k, v, e) values ('${name}', '1', ${until}) on duplicate key update e = values(e)`
  }

  /** Counts the processes that live, whose rows' names begin in this way. */
  alive(start: string): string {
    return `select count(*) from ${this.name} where k like '${start}%' and e > ${SERVER_NOW} div 1000`
  }
}

// A second after it equals a fresh one. The expiry of a state decides nothing itself.
const IS_OVER = `e < ${SERVER_NOW} div 1000 - 1000`

function isOneOf(names: readonly string[]): string {
  // `in ()` is a mistake.
  return names.length === 0 ? 'false' : `k in (${names.map(name => `'${name}'`).join(', ')})`
}

/** A value as a literal of its bytes: numbers as they are, any other text as JSON, which can write each half of a surrogate pair. */
function literalOf(value: string): string {
  if (NUMBERS.test(value)) return `'${value}'`
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  return `x'${Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')}'`
}

/** Reads the answer to {@link Table.read}. @throws StoreMisread */
export function readFound(answer: unknown): Found {
  const rows = rowsOf(answer)
  if (rows.length === 0) throw misread()
  const values = new Map<string, string>()
  for (const [name, bytes] of rows) {
    const value = bytes === null ? '' : String(bytes)
    if (value !== '') values.set(String(name), value.startsWith('"') ? textOf(value) : value)
  }
  return { values, now: Number(rows[0]?.[2]) / 1000 }
}

function textOf(json: string): string {
  const text: unknown = JSON.parse(json)
  if (typeof text === 'string') return text
  throw misread()
}

function misread(): StoreMisread {
  return new StoreMisread('the database returned no rows of the table', 'Give a pool of mysql2 itself.')
}

/** What a column tells: bytes are a Buffer, whose text is UTF-8. */
type Cell = string | number | Uint8Array | null

/** The rows of an answer, each a list. @throws StoreMisread */
export function rowsOf(answer: unknown): readonly (readonly Cell[])[] {
  if (Array.isArray(answer)) return answer as Cell[][]
  throw misread()
}

/** How many rows a statement has changed. */
export function affectedBy(answer: unknown): number {
  return Number((answer as { affectedRows?: unknown } | undefined)?.affectedRows ?? 0)
}
