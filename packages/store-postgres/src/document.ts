import { isVersion, NEVER_WRITTEN, type StoreDocument, versionAfter } from '@halt/core/store'

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
      const reply = await statements.run('read', name, since ?? '')
      onRead()
      if (reply === undefined) return since === NEVER_WRITTEN.version ? undefined : NEVER_WRITTEN
      const [, version, text] = /^([^:]*):([\s\S]*)$/.exec(reply ?? '') ?? []
      if (!isVersion(version) || text === undefined) throw unexpectedReply(reply)
      return version === since ? undefined : { version, text }
    },
    async write(text, since) {
      const next = versionAfter(since)
      const reply = await statements.run('write', name, text, since, next)
      if (reply === null) return undefined
      if (reply !== next) throw unexpectedReply(reply)
      return next
    },
  }
}
