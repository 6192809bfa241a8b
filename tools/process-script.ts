// Builds the script of a process that a test starts several times. Loading the sources one by one takes each process a second.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build } from 'rolldown'

/** A script in one file. */
export interface ProcessScript {
  readonly path: string
  remove(): Promise<void>
}

/** Bundles a script with all that it imports. */
export async function processScript(entry: URL): Promise<ProcessScript> {
  const folder = await mkdtemp(join(tmpdir(), 'halt-script-'))
  const path = join(folder, 'script.mjs')
  await build({
    input: fileURLToPath(entry),
    platform: 'node',
    resolve: { conditionNames: ['halt-source', 'node', 'import'] },
    output: { file: path, format: 'esm', codeSplitting: false },
    logLevel: 'warn',
  })
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}
