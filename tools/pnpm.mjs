// Runs the pnpm version that package.json pins, also from the command line: node tools/pnpm.mjs <command>.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the workspace. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const windows = process.platform === 'win32'

/** Where this Node is installed, if its headers are there too: a native module is then built without a download of them. */
const nodeFolder = join(dirname(process.execPath), '..')
const headers = existsSync(join(nodeFolder, 'include/node/node.h')) ? { npm_config_nodedir: nodeFolder } : {}

/** @type {NodeJS.Signals[]} */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @type {string[] | undefined} */
let found

/**
 * The command that runs the pinned pnpm: the one on PATH if it has that version, else the one that npx brings. npx takes two seconds
 * of a processor each time. So it is asked once where that pnpm is, and PATH tells it to all processes that this one starts.
 */
function pinned() {
  return (found ??= find())
}

/** @returns {string[]} */
function find() {
  const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const how = /** @type {const} */ ({ encoding: 'utf8', cwd: root, shell: windows })
  const { stdout } = spawnSync('pnpm', ['--version'], how)
  if (stdout?.trim() === packageManager.replace('pnpm@', '')) return ['pnpm']
  const npx = ['npx', '--yes', packageManager]
  if (windows) return npx
  const where = spawnSync('npx', ['--yes', `--package=${packageManager}`, '-c', 'command -v pnpm'], how)
  const path = where.stdout?.trim()
  if (where.status !== 0 || !path?.startsWith('/')) return npx
  process.env['PATH'] = [dirname(path), process.env['PATH']].join(delimiter)
  return ['pnpm']
}

/** @param {Record<string, string>} env more variables */
const options = env => ({
  cwd: root,
  shell: windows,
  env: { ...headers, ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', ...env },
})

/**
 * Runs pnpm in the root of the workspace and returns its exit code.
 * @param {string[]} args
 * @param {Record<string, string>} [env] more variables
 * @returns {number}
 */
export function pnpm(args, env = {}) {
  const [command = '', ...before] = pinned()
  const { status, error } = spawnSync(command, [...before, ...args], { stdio: 'inherit', ...options(env) })
  if (error) console.error(error.message)
  return status ?? 1
}

/**
 * @typedef {{ env?: Record<string, string>, show?: boolean, nice?: number, minutes?: number }} How `show`: prints the output
 *   instead of returning it; `nice`: the priority, lower the higher the number; `minutes`: how long it may take before it is
 *   killed, with all that it started
 */

/**
 * Runs pnpm without blocking this process. Resolves to its exit code and its output.
 * @param {string[]} args
 * @param {How} [how]
 */
export function startPnpm(args, how = {}) {
  const [command = '', ...before] = pinned()
  return start(command, [...before, ...args], options(how.env ?? {}), how)
}

/**
 * Runs a command line in the root of the workspace as a script of package.json, without pnpm, which takes two seconds of a
 * processor to start. Resolves as `startPnpm` does.
 * @param {string} line
 * @param {How} [how]
 */
export function startScript(line, how = {}) {
  const path = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter)
  return start(line, [], { ...options({ PATH: path, ...how.env }), shell: true }, how)
}

/**
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnOptions} options
 * @param {How} how
 * @returns {Promise<{ status: number, output: string }>}
 */
function start(command, args, options, { show = false, nice = 0, minutes = 40 }) {
  const child = spawn(command, args, {
    stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that all of it can be ended.
    detached: !windows,
    ...options,
  })
  const end = (/** @type {NodeJS.Signals} */ signal) => endGroup(child, signal)
  for (const signal of signals) process.on(signal, end)
  const alarm = setTimeout(() => {
    console.error(`${[command, ...args].join(' ')} did not end within ${minutes} minutes.`)
    end('SIGKILL')
  }, minutes * 60_000)
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
  }).finally(() => {
    clearTimeout(alarm)
    for (const signal of signals) process.off(signal, end)
  })
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function endGroup(child, signal) {
  try {
    if (child.pid !== undefined && !windows) process.kill(-child.pid, signal)
    else child.kill(signal)
  } catch {
    // It has ended.
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = pnpm(process.argv.slice(2))
