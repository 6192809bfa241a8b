// Everything that must hold, from a fresh clone: set-up, build, types, lint, tests, and the packed packages.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pnpm } from './pnpm.mjs'
import { setup } from './setup.mjs'

const folder = mkdtempSync(join(tmpdir(), 'halt-count-'))
const counts = join(folder, 'counts')

/** @type {[string, () => number][]} */
const steps = [
  ['build', () => pnpm(['exec', 'turbo', 'run', 'build', '--output-logs=errors-only'])],
  ['types', () => pnpm(['run', 'typecheck', '--output-logs=errors-only'])],
  ['lint', () => pnpm(['run', 'lint'])],
  ['unused', () => pnpm(['run', 'unused'])],
  ['tests', () => pnpm(['exec', 'vitest', 'run'], { HALT_COUNT_FILE: counts })],
  ['packages', () => pnpm(['run', 'smoke'])],
]

/** @type {string[]} */
const failed = []
try {
  setup({ servers: true })
  for (const [name, run] of steps) {
    console.log(`\n--- ${name}`)
    if (run() === 0) continue
    failed.push(name)
    // Without a build nothing after it says anything.
    if (name === 'build') break
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  failed.push('set-up')
}

if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
console.log(`\n${countLine()}`)
rmSync(folder, { recursive: true, force: true })
process.exitCode = failed.length > 0 ? 1 : 0

/** What tools/count-reporter.ts wrote: `N passed, N failed, N skipped`. */
function countLine() {
  try {
    return readFileSync(counts, 'utf8').trim()
  } catch {
    return '0 passed, 1 failed, 0 skipped'
  }
}
