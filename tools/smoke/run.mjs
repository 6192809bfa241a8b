// Runs programs for the smoke test.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { root } from '../pnpm.mjs'

const windows = process.platform === 'win32'

/** Runs a program. Resolves to its output, or rejects with all of it. @param {string} file @param {string[]} args */
export async function run(file, args, cwd = root) {
  try {
    const shell = windows && !file.endsWith('.exe')
    return (await promisify(execFile)(file, args, { cwd, shell, maxBuffer: 1 << 26 })).stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = /** @type {{ stdout?: string, stderr?: string }} */ (error)
    throw new Error(`${stdout}${stderr}`.trim() || message(error), { cause: error })
  }
}

/** @param {unknown} error */
export function message(error) {
  return error instanceof Error ? error.message : String(error)
}
