import { type CounterId, type Counters, type State, StoreMisread } from '@halt/core/store'

import type { Sql } from '../platform.ts'

/** The counters of one Durable Object, a row each. */
export class CountersTable implements Counters {
  /** The earliest instant at which a counter that was written here may be removed, in Unix milliseconds. */
  expiresAt: number = Number.POSITIVE_INFINITY
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
    // Without a row id there is no index beside the table, so a write is one row.
    sql.exec(
      'create table if not exists counters (key text primary key, state text not null, expires_at real not null) without rowid',
    )
  }

  load(subject: string, counter: string): State {
    const [row] = this.#sql
      .exec('select state from counters where key = ?', keyOf(subject, counter))
      .toArray()
    return row === undefined ? [] : parse(row['state'])
  }

  keep(subject: string, counter: string, state: State, freshAt: number): void {
    const expiresAt = Math.ceil(freshAt / 1000) + GRACE_MS
    this.#sql.exec(
      'insert into counters values (?, ?, ?) on conflict (key) do update set state = excluded.state, expires_at = excluded.expires_at',
      keyOf(subject, counter),
      state.join(' '),
      expiresAt,
    )
    if (expiresAt < this.expiresAt) this.expiresAt = expiresAt
  }

  /** Removes counters. Returns how many existed. */
  forget(counters: readonly CounterId[]): number {
    let count = 0
    for (const { subject, counter } of counters)
      count += this.#sql
        .exec('delete from counters where key = ? returning key', keyOf(subject, counter))
        .toArray().length
    return count
  }

  /** Removes the counters that equal fresh ones. Returns when the next may be removed; undefined if none is left. */
  sweep(now: number): number | undefined {
    this.#sql.exec('delete from counters where expires_at <= ?', now)
    const [row] = this.#sql.exec('select min(expires_at) as next from counters').toArray()
    const next = row?.['next']
    return typeof next === 'number' ? next : undefined
  }
}

// The physical expiry never decides, so a counter may stay longer than it counts.
const GRACE_MS = 1000

/** The key of a counter's row. JSON, because SQLite replaces lone surrogates, so that two subjects would have one key. */
function keyOf(subject: string, counter: string): string {
  return JSON.stringify([subject, counter])
}

function parse(text: unknown): State {
  const state = typeof text === 'string' ? text.split(' ').map(Number) : [Number.NaN]
  if (text !== '' && state.every(Number.isFinite)) return state
  throw new StoreMisread('a row of the object is not a counter', 'Let nothing else write to the object.')
}
