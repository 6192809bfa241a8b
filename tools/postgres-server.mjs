// Starts temporary PostgreSQL servers, for tests and benchmarks.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { findServer } from './find-server.mjs'

const HOST = '127.0.0.1'
// PostgreSQL does not run as root, so root runs it as the user nobody.
const NOBODY = { uid: 65_534, gid: 65_534 }
const isRoot = process.getuid?.() === 0
const user = isRoot ? NOBODY : {}
const SETTINGS = ['unix_socket_directories=', `listen_addresses=${HOST}`, 'max_connections=60']

/**
 * Starts a server and waits until it answers.
 * @param {readonly string[]} [settings]
 * @returns {Promise<import('./postgres-server.mjs').RunningPostgres>}
 */
export async function startPostgres(settings = []) {
  const program = findServer('postgres')
  if (program === undefined)
    throw new Error(
      'This needs PostgreSQL: run `npm run setup`; for tests you may set POSTGRES_URL to a server that they may use.',
    )
  const folder = await mkdtemp(join(tmpdir(), 'halt-postgres-'))
  if (isRoot) await chown(folder, NOBODY.uid, NOBODY.gid)
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
  const killNow = () => void child.kill('SIGQUIT')
  process.once('exit', killNow)
  /** @type {Promise<void> | undefined} */
  let stopping
  const stop = () =>
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

/** @param {string} initdb @param {string} folder */
function makeData(initdb, folder) {
  const args = ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  const { status, stderr } = spawnSync(initdb, args, { cwd: folder, encoding: 'utf8', ...user })
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`)
}

/**
 * Resolves when the server accepts connections. Rejects with its log if it exits first.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<void>}
 */
function ready(child) {
  return new Promise((resolve, reject) => {
    let log = ''
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`postgres ended with code ${code}\n${log.slice(-2000)}`)))
    child.stderr?.setEncoding('utf8').on('data', text => {
      if (log.length > 20_000) return
      log += text
      if (log.includes('ready to accept connections')) resolve()
    })
  })
}

async function freePort() {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}
