// Runs the pnpm version that package.json pins, also from the command line: node tools/pnpm.mjs <command>.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The root of the workspace. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const windows = process.platform === 'win32'

/** The command that runs the pinned pnpm: the one on PATH if it has that version, else npx. */
const pinned = (() => {
  const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const version = packageManager.replace('pnpm@', '')
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: root, shell: windows })
  return found.stdout?.trim() === version ? ['pnpm'] : ['npx', '--yes', packageManager]
})()

/** @param {Record<string, string>} env more variables */
const options = env => ({
  cwd: root,
  shell: windows,
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', ...env },
})

/**
 * Runs pnpm in the root of the workspace and returns its exit code.
 * @param {string[]} args
 * @param {Record<string, string>} [env] more variables
 * @returns {number}
 */
export function pnpm(args, env = {}) {
  const [command = '', ...before] = pinned
  const { status, error } = spawnSync(command, [...before, ...args], { stdio: 'inherit', ...options(env) })
  if (error) console.error(error.message)
  return status ?? 1
}

/**
 * Runs pnpm without blocking this process. Resolves to its exit code and its output.
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, show?: boolean, nice?: number }} [how] `show`: prints
 *   its output instead of returning it; `nice`: the priority, lower the higher the number
 * @returns {Promise<{ status: number, output: string }>}
 */
export function startPnpm(args, { env = {}, show = false, nice = 0 } = {}) {
  const [command = '', ...before] = pinned
  const child = spawn(command, [...before, ...args], {
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    ...options(env),
  })
  try {
    if (nice > 0 && child.pid !== undefined) setPriority(child.pid, nice)
  } catch {
    // Then it runs at the normal priority.
  }
  return new Promise(resolve => {
    let output = ''
    const add = (/** @type {string} */ text) => void (output += text)
    child.stdout?.setEncoding('utf8').on('data', add)
    child.stderr?.setEncoding('utf8').on('data', add)
    child.once('error', error => resolve({ status: 1, output: output + error.message }))
    child.once('close', status => resolve({ status: status ?? 1, output }))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = pnpm(process.argv.slice(2))
