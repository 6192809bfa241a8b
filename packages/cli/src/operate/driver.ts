// The drivers of databases, which the command line uses where the application has them.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HaltError } from '@halt/core'

import type { CliIo } from '../io.ts'

/** The longest time that a connection, and then each query, may take, in milliseconds. */
export const PATIENCE_MS = 5_000

/** Loads a driver: as a package beside this one, or as one of the folder in which the command runs. Rejects if there is none. */
export async function loadDriver<T>(name: string, { cwd }: CliIo): Promise<T> {
  try {
    return (await import(name)) as T
  } catch {
    return (await import(pathToFileURL(createRequire(join(cwd, 'halt.js')).resolve(name)).href)) as T
  }
}

/** The message of an error, or of its first part. It ends without a full stop. */
export function messageOf(error: unknown): string {
  const { errors } = error as { errors?: readonly unknown[] }
  const first = errors?.[0] ?? error
  return (first instanceof Error ? first.message : String(first)).replace(/\.$/, '')
}

/** The fixes of what may be wrong with a database, by the ends of the codes. */
export type Fixes = Readonly<Record<'PERMISSION' | 'SCHEMA' | 'UNAVAILABLE', string>>

/** The error of a database that does not answer as it should. Its code is that of the cause, if that has one of these. */
export function databaseError(message: string, cause: unknown, fixes: Fixes): HaltError {
  const { code } = cause as { code?: unknown }
  const kind =
    code === 'HALT_E_STORE_PERMISSION'
      ? 'PERMISSION'
      : code === 'HALT_E_STORE_SCHEMA'
        ? 'SCHEMA'
        : 'UNAVAILABLE'
  return new HaltError(`HALT_E_STORE_${kind}`, message, fixes[kind], { cause })
}
