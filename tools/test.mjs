// npm test: checks everything, from a fresh clone on: set-up, build, types, lint, tests, and the packed packages.
//   npm test -- --full    in the full form of CONTRIBUTING.md, which takes longer
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPnpm, startScript } from './pnpm.mjs'
import { setup } from './setup.mjs'

const folder = mkdtempSync(join(tmpdir(), 'halt-count-'))
const counts = join(folder, 'counts')
const isFull = process.argv.includes('--full')
/** @type {Record<string, string>} */
const env = isFull ? { HALT_FULL: '1' } : {}

// The full form builds all apps. All of them import @halt/demo-kit.
const built = isFull ? [] : ['--filter=./packages/*', '--filter=@halt/demo-kit']
const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** @typedef {import('./pnpm.mjs').How} How */
/** @type {(...args: string[]) => (how: How) => ReturnType<typeof startPnpm>} turbo needs pnpm, other programs do not. */
const turbo =
  (...args) =>
  how =>
    startPnpm(['exec', 'turbo', 'run', ...args, '--output-logs=errors-only'], how)
/** @type {(line: string) => (how: How) => ReturnType<typeof startScript>} */
const script = line => how => startScript(line, how)

/** @type {[string, (how: How) => ReturnType<typeof startScript>]} */
const apps = ['apps', script('tsc -p tsconfig.built.json --checkers 1')]
/** @type {[string, (how: How) => ReturnType<typeof startScript>]} */
const unused = ['unused', script(scripts.unused)]
// The tests sleep most of the time. So these commands run at the same time, at a low priority.
/** @type {[string, (how: How) => ReturnType<typeof startPnpm>][]} */
const chores = [
  ['build', turbo('build', ...built)],
  ...(isFull ? [] : [apps]),
  ['types', isFull ? turbo('typecheck', '//#typecheck:tools') : script(scripts.types)],
  ['lint', script(scripts.lint)],
  ...(isFull ? [unused] : []),
  ['packages', script(scripts.smoke)],
]

/** @type {string[]} */
const failed = []
try {
  setup({ servers: true })
  const others = work()
  console.log('\n--- tests')
  const { status } = await startScript('vitest run', {
    env: { ...env, HALT_COUNT_FILE: counts, HALT_ONE_PROJECT: isFull ? '' : '1' },
    show: true,
  })
  if (status !== 0) failed.push('tests')
  for (const { name, status, output } of await others) {
    console.log(`\n--- ${name}\n${output.trim()}`)
    if (status !== 0) failed.push(name)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  failed.push('set-up')
}

if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
console.log(`\n${countLine()}`)
rmSync(folder, { recursive: true, force: true })
process.exitCode = failed.length > 0 ? 1 : 0

/**
 * Runs the chores one after the other. The compiler and the linter collect less garbage, which takes a fifth of their time, and use
 * one processor: with two, the linter checks types twice, and takes a tenth longer of both.
 */
async function work() {
  const done = []
  for (const [name, run] of chores) {
    const result = { name, ...(await run({ env: { GOGC: '400', GOMAXPROCS: '1', ...env }, nice: 5 })) }
    done.push(result)
    // Without a build the other results mean nothing.
    if (name === 'build' && result.status !== 0) break
  }
  return done
}

/** The line of tools/count-reporter.ts: `N passed, N failed, N skipped`. */
function countLine() {
  try {
    return readFileSync(counts, 'utf8').trim()
  } catch {
    return '0 passed, 1 failed, 0 skipped'
  }
}
