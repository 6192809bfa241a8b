import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new folder for the files of a test. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'halt-sqlite-'))
}
