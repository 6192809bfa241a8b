// Runs a script of a test in Bun or Deno. Their programs come with the npm packages `bun` and `deno`.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const { arch, platform } = process
const require = createRequire(import.meta.url)

/** The result of a suite that ran in another runtime. */
export interface Report {
  readonly passed: number
  /** Names and errors of failed tests. */
  readonly failed: readonly string[]
}

/** Runs a script in Bun, and reads the report that it prints. */
export function runInBun(script: URL): Promise<Report> {
  return run(bun(), [], script)
}

/** Runs a script in Bun with more environment variables, and returns what it printed, as JSON. */
export function readFromBun(script: URL, env: Readonly<Record<string, string>>): Promise<unknown> {
  return printed(bun(), [], script, env)
}

/** Runs a script in Deno, and reads the report that it prints. */
export function runInDeno(script: URL): Promise<Report> {
  return run(deno(), denoArgs('-A'), script)
}

/**
 * Runs a script in Deno with more environment variables, and returns what it printed, as JSON. It may use the network, read
 * files and these variables, and nothing else: so Halt cannot ask for more than a server has.
 */
export function readFromDeno(script: URL, env: Readonly<Record<string, string>>): Promise<unknown> {
  const variables = Object.keys(env).join(',')
  return printed(deno(), denoArgs('--allow-net', '--allow-read', `--allow-env=${variables}`), script, env)
}

function denoArgs(...permissions: readonly string[]): readonly string[] {
  return ['run', ...permissions, '--no-prompt', '--no-config', '--node-modules-dir=manual']
}

function deno(): string {
  const libc = platform === 'linux' ? '-glibc' : ''
  return program('deno', `@deno/${platform}-${arch}${libc}`, 'deno')
}

function bun(): string {
  const family = arch === 'arm64' ? 'aarch64' : arch
  return program('bun', `@oven/bun-${platform}-${family}`, 'bin/bun')
}

// The packages themselves only find this program. They would copy it by an install script, which pnpm does not run.
function program(runtime: 'bun' | 'deno', holder: string, path: string): string {
  const own = createRequire(require.resolve(`${runtime}/package.json`))
  return join(dirname(own.resolve(`${holder}/package.json`)), path)
}

async function run(runtime: string, args: readonly string[], script: URL): Promise<Report> {
  return (await printed(runtime, args, script)) as Report
}

async function printed(
  runtime: string,
  args: readonly string[],
  script: URL,
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const command = [...args, '--conditions=halt-source', fileURLToPath(script)]
  const { stdout } = await promisify(execFile)(runtime, command, { env: { ...process.env, ...env } })
  return JSON.parse(stdout)
}
