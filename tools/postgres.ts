// Starts PostgreSQL servers for tests. As Vitest's global set-up it starts one for all test files.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { findServer } from './find-server.mjs'

/** A temporary PostgreSQL on 127.0.0.1. */
export interface RunningPostgres {
  readonly url: string
  readonly port: number
  /** The server's process, which fault tests stop. */
  readonly process: ChildProcess
  /** Ends the server and removes its folder; safe to call twice. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
// PostgreSQL does not run as root, so root runs it as the user nobody.
const NOBODY = { uid: 65_534, gid: 65_534 }
const user: { uid?: number; gid?: number } = process.getuid?.() === 0 ? NOBODY : {}
// A test's data may be lost with the machine.
const SETTINGS = ['fsync=off', 'unix_socket_directories=', `listen_addresses=${HOST}`, 'max_connections=60']

/** Starts a server and waits until it answers. */
export async function startPostgres(settings: readonly string[] = []): Promise<RunningPostgres> {
  const program = findServer('postgres')
  if (program === undefined)
    throw new Error(
      'These tests need PostgreSQL: run `npm run setup`, or set POSTGRES_URL to a server that they may use.',
    )
  const folder = await mkdtemp(join(tmpdir(), 'halt-postgres-'))
  if (process.getuid?.() === 0) await chown(folder, NOBODY.uid, NOBODY.gid)
  makeData(findServer('initdb') ?? join(dirname(program), 'initdb'), folder)
  const port = await freePort()
  const options = [...SETTINGS, ...settings].flatMap(setting => ['-c', setting])
  const child = spawn(program, ['-D', folder, '-p', `${port}`, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
    ...user,
  })
  const exited = once(child, 'exit')
  // At once, without waiting for the connections of tests.
  const killNow = (): void => void child.kill('SIGQUIT')
  process.once('exit', killNow)
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      killNow()
      await exited
      process.off('exit', killNow)
      await rm(folder, { recursive: true, force: true })
    })())
  try {
    await ready(child)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: `postgres://postgres@${HOST}:${port}/postgres`, port, process: child, stop }
}

/** Vitest's global set-up: provides `postgresUrl`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['POSTGRES_URL']
  if (given) {
    project.provide('postgresUrl', given)
    return async () => {}
  }
  const server = await startPostgres()
  project.provide('postgresUrl', server.url)
  return server.stop
}

function makeData(initdb: string, folder: string): void {
  const args = ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  const { status, stderr } = spawnSync(initdb, args, { cwd: folder, encoding: 'utf8', ...user })
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`)
}

/** Resolves when the server accepts connections. Rejects with its log if it exits first. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`postgres ended with code ${code}\n${log.slice(-2000)}`)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (log.length > 20_000) return
      log += text
      if (log.includes('ready to accept connections')) resolve()
    })
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
