import { NEVER_WRITTEN, type StoreDocument } from '@halt/core/store'

import type { Statements } from './statements.ts'
import { unexpectedReply } from './store-error.ts'

/**
 * The document of a name, one row of the table `documents`.
 *
 * @param onRead called at each read, which is a sign of life of the process
 */
export function documentOf(statements: Statements, name: string, onRead: () => void): StoreDocument {
  return {
    async read(since) {
      const reply = await statements.run('read', name, `${since ?? -1}`)
      onRead()
      if (reply === undefined) return since === NEVER_WRITTEN.version ? undefined : NEVER_WRITTEN
      const [, version, text] = /^(\d{1,15}):([\s\S]*)$/.exec(reply ?? '') ?? []
      if (version === undefined || text === undefined) throw unexpectedReply(reply)
      return Number(version) === since ? undefined : { version: Number(version), text }
    },
    async write(text, since) {
      const reply = await statements.run('write', name, text, `${since}`)
      if (reply === null) return undefined
      if (reply !== `${since + 1}`) throw unexpectedReply(reply)
      return since + 1
    },
  }
}
