// Checks that the declarations of installed packages compile for an application that does not skip them: TypeScript's default.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../pnpm.mjs'
import { run } from './run.mjs'

/**
 * Compiles a file that imports every entry of some packages.
 * @param {string} folder where they are installed @param {string[]} entries
 */
export async function checkDeclarations(folder, entries) {
  const lines = entries.map((entry, i) => `export type * as entry${i} from '${entry}'`)
  const file = join(folder, 'declarations.mts')
  writeFileSync(file, `${lines.join('\n')}\n`)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--ignoreConfig', '--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023']
  await run(process.execPath, [tsc, ...options, '--skipLibCheck', 'false', '--types', '', file], folder)
}
