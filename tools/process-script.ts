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

/** A script that is no file, such as an example of a README. */
export interface ScriptText {
  readonly code: string
  /** The files of modules that are not installed where the script would stand, by the names under which it imports them. */
  readonly modules: Readonly<Record<string, string>>
}

/**
 * Bundles a script with all that it imports.
 *
 * @param entry the file. With a `text` it need not exist: the script finds the packages that a file there would find
 */
export async function processScript(entry: URL, text?: ScriptText): Promise<ProcessScript> {
  const input = fileURLToPath(entry)
  const folder = await mkdtemp(join(tmpdir(), 'halt-script-'))
  const path = join(folder, 'script.mjs')
  await build({
    input,
    platform: 'node',
    // Without `import` and `require`, which the bundler adds, each for its kind of import.
    resolve: { conditionNames: ['halt-source', 'node'], alias: { ...text?.modules } },
    plugins: text && [
      {
        name: 'text',
        resolveId: id => (id === input ? id : undefined),
        load: id => (id === input ? text.code : undefined),
      },
    ],
    output: { file: path, format: 'esm', codeSplitting: false },
    logLevel: 'warn',
  })
  return { path, remove: () => rm(folder, { recursive: true, force: true }) }
}
