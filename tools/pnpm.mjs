import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The root of the workspace. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const windows = process.platform === 'win32'

/** The command line that runs the pinned pnpm: the one on PATH if it is that version, else a copy that npx keeps. */
const pinned = (() => {
  const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const version = packageManager.replace('pnpm@', '')
  const found = spawnSync('pnpm', ['--version'], { encoding: 'utf8', cwd: root, shell: windows })
  return found.stdout?.trim() === version ? ['pnpm'] : ['npx', '--yes', packageManager]
})()

/**
 * Runs pnpm in the root of the workspace and returns its exit code.
 * @param {string[]} args
 * @param {Record<string, string>} [env] more variables
 * @returns {number}
 */
export function pnpm(args, env = {}) {
  const [command = '', ...before] = pinned
  const { status, error } = spawnSync(command, [...before, ...args], {
    cwd: root,
    stdio: 'inherit',
    shell: windows,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', ...env },
  })
  if (error) console.error(error.message)
  return status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = pnpm(process.argv.slice(2))
