// Starts a PgBouncer in transaction mode in front of a PostgreSQL, for tests.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { findServer } from './find-server.mjs'
import { freePort } from './free-port.mjs'
import { makeServerFolder, SERVER_USER } from './server-folder.mjs'

/** A running PgBouncer. */
export interface RunningPgBouncer {
  readonly url: string
  /** The same database by a single connection to the server. */
  readonly narrowUrl: string
  stop(): Promise<void>
}

/**
 * Starts a PgBouncer and waits until it answers. Its clients are the superuser.
 *
 * @param url the server behind it
 * @param connections the most connections to the server
 */
export async function startPgBouncer(url: string, connections: number): Promise<RunningPgBouncer> {
  const program = findServer('pgbouncer')
  if (program === undefined) throw new Error('This needs PgBouncer: run `npm run setup`.')
  const folder = await makeServerFolder('pgbouncer')
  const port = await freePort()
  const { hostname, port: behind, username, password, pathname } = new URL(url)
  const login = `user=${username} ${password === '' ? '' : `password=${password}`}`
  const server = `host=${hostname} port=${behind} dbname=${pathname.slice(1)} ${login}`
  const settings = [
    '[databases]',
    `postgres = ${server}`,
    `narrow = ${server} pool_size=1`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    `default_pool_size = ${connections}`,
    // As all versions before 1.21, it does not follow prepared statements.
    ...(minorVersion(program) >= 21 ? ['max_prepared_statements = 0'] : []),
  ]
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(file, `${settings.join('\n')}\n`)
  await chmod(file, 0o644)
  const child = spawn(program, [file], { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, ...SERVER_USER })
  const exited = once(child, 'exit')
  const killNow = (): void => void child.kill('SIGKILL')
  process.once('exit', killNow)
  const stop = async (): Promise<void> => {
    killNow()
    await exited
    process.off('exit', killNow)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await new Promise<void>((resolve, reject) => {
      let log = ''
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`pgbouncer ended with code ${code}\n${log.slice(-2000)}`)))
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-20_000)
        if (log.includes('process up')) resolve()
      })
    })
  } catch (error) {
    await stop()
    throw error
  }
  const at = `postgres://postgres@127.0.0.1:${port}`
  return { url: `${at}/postgres`, narrowUrl: `${at}/narrow`, stop }
}

/** The second number of its version, such as 24 of 1.24.1. */
function minorVersion(program: string): number {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' })
  return Number(/PgBouncer 1\.(\d+)/.exec(text)?.[1] ?? 0)
}
