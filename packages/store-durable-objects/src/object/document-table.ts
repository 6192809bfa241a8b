import { NEVER_WRITTEN, versionAfter, type VersionedText } from '@halt/core/store'

import type { Sql } from '../platform.ts'

// A value in SQLite has at most 2 MB here.
const CHUNK_BYTES = 1e6

/** The document of one Durable Object. */
export class DocumentTable {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
    sql.exec(
      'create table if not exists document (chunk integer primary key, version text not null, bytes blob not null)',
    )
  }

  read(): VersionedText {
    const rows = this.#sql.exec('select version, bytes from document order by chunk').toArray()
    const version = rows[0]?.['version']
    if (typeof version !== 'string') return NEVER_WRITTEN
    const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })
    const text = rows.map(row => decoder.decode(row['bytes'] as ArrayBuffer, { stream: true })).join('')
    return { version, text: text + decoder.decode() }
  }

  /** Writes a text if the version is still `since`. Returns the new version; undefined if it is another. */
  write(text: string, since: string): string | undefined {
    if (this.read().version !== since) return undefined
    const version = versionAfter(since)
    const bytes = new TextEncoder().encode(text)
    this.#sql.exec('delete from document')
    for (let chunk = 0; chunk === 0 || chunk * CHUNK_BYTES < bytes.length; chunk++) {
      const part = bytes.slice(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)
      this.#sql.exec('insert into document values (?, ?, ?)', chunk, version, part)
    }
    return version
  }
}
