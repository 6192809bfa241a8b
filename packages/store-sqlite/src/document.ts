import {
  isVersion,
  NEVER_WRITTEN,
  type StoreDocument,
  StoreMisread,
  type VersionedText,
  versionAfter,
} from '@halt/core/store'

import type { Connection } from './connection.ts'
import { columnOf } from './handle.ts'
import { inLaterTurns } from './lock.ts'

// An operator waits for it, and no request.
const PATIENCE_MS = 1_000

/**
 * The document of a name, one row of the table of documents. Its text is stored as JSON, which keeps halves of surrogate pairs.
 *
 * @param onRead called at each read, which is a sign of life of the process
 */
export function documentOf(connection: Connection, name: string, onRead: () => void): StoreDocument {
  const { documents } = connection.tables
  const select = `select version || ' ' || text as value from ${documents} where name = ?`
  const replace = `insert or replace into ${documents} values (?, ?, ?)`
  const read = (): VersionedText => fromValue(columnOf(connection.prepare(select).get(name), 'value'))
  return {
    async read(since) {
      const found = connection.read(read)
      onRead()
      return found.version === since ? undefined : found
    },
    write(text, since) {
      const swap = (): string | undefined => {
        if (read().version !== since) return undefined
        const version = versionAfter(since)
        connection.prepare(replace).run(name, version, JSON.stringify(text))
        return version
      }
      return inLaterTurns(() => connection.transaction(swap, 0), PATIENCE_MS)
    },
  }
}

function fromValue(value: unknown): VersionedText {
  if (value === undefined) return NEVER_WRITTEN
  const [, version, json = ''] = /^(\S+) ([\s\S]*)$/.exec(typeof value === 'string' ? value : '') ?? []
  try {
    const text: unknown = JSON.parse(json)
    if (isVersion(version) && typeof text === 'string') return { version, text }
  } catch {}
  throw new StoreMisread(
    'a row of the file is not a document',
    "Let nothing else write to the tables of the store's file.",
  )
}
