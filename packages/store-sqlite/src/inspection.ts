import { statSync } from 'node:fs'

import type { HaltWarning } from '@halt/core'

import { type Connection, withoutLog } from './connection.ts'
import { toStoreError } from './store-error.ts'

/** SQLite reads all pages to find damage, while the event loop stands still: a tenth of a second for so many bytes. */
const MOST_CHECKED = 64 * 2 ** 20
/** The log is cut to 16 MiB when nobody reads. */
const LONG_LOG = 64 * 2 ** 20

const WARNINGS = {
  timeout: 'HALT_W_STORE_TIMEOUT',
  unavailable: 'HALT_W_STORE_UNAVAILABLE',
  full: 'HALT_W_STORE_FULL',
  misconfigured: 'HALT_W_STORE_MISCONFIGURED',
  script: 'HALT_W_STORE_SCRIPT',
} as const

/** Tests the file: its log, its pages, its rights and its place. Resolves to warnings, an empty list if all is well. */
export async function inspect(connection: Connection, probe: () => Promise<void>): Promise<HaltWarning[]> {
  try {
    await probe()
    const [mode, damage] = connection.read(() => [connection.pragma('journal_mode'), damageOf(connection)])
    const log = statSync(`${connection.path}-wal`, { throwIfNoEntry: false })?.size ?? 0
    const warnings: HaltWarning[] = []
    if (mode !== 'wal') warnings.push(withoutLog(mode))
    if (damage !== undefined) warnings.push(damaged(damage))
    if (log > LONG_LOG) warnings.push(longLog(log))
    return warnings
  } catch (error) {
    const { failure, message, fix } = toStoreError(error)
    return [{ code: WARNINGS[failure], message: `A check fails on ${connection.path}: ${message}.`, fix }]
  }
}

function damageOf(connection: Connection): string | undefined {
  const bytes = Number(connection.pragma('page_count')) * Number(connection.pragma('page_size'))
  if (bytes > MOST_CHECKED) return undefined
  const found = connection.pragma('quick_check(1)')
  return found === 'ok' ? undefined : String(found)
}

function damaged(damage: string): HaltWarning {
  return {
    code: 'HALT_W_STORE_MISCONFIGURED',
    message: `The file is damaged: ${damage}.`,
    fix: 'Stop all processes, then delete the file, its -wal and its -shm, or restore a copy.',
  }
}

function longLog(bytes: number): HaltWarning {
  return {
    code: 'HALT_W_STORE_MISCONFIGURED',
    message: `The log of the file has ${Math.round(bytes / 2 ** 20)} MB, because a connection keeps a transaction open.`,
    fix: 'Let no other program hold a transaction on the file open.',
  }
}
