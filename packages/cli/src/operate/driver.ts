// The drivers of databases, which the command line uses where the application has them.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { CliIo } from '../io.ts'

/** The longest time that a connection, and then each query, may take, in milliseconds. */
export const PATIENCE_MS = 5_000

/** Loads a driver: as a package beside this one, or as one of the folder in which the command runs. Rejects if there is none. */
export async function loadDriver<T>(name: string, { cwd }: CliIo): Promise<T> {
  const load = async (from: string): Promise<T> => ((await import(from)) as { default: T }).default
  try {
    return await load(name)
  } catch {
    return load(pathToFileURL(createRequire(join(cwd, 'halt.js')).resolve(name)).href)
  }
}

/** The message of an error, or of its first part. */
export function messageOf(error: unknown): string {
  const { errors } = error as { errors?: readonly unknown[] }
  const first = errors?.[0] ?? error
  return first instanceof Error ? first.message : String(first)
}
