// Starts temporary PostgreSQL servers, for tests and benchmarks.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { findServer } from './find-server.mjs'
import { freePort } from './free-port.mjs'
import { keepServer, makeServerFolder, readyBy, SERVER_USER } from './server-folder.mjs'

const HOST = '127.0.0.1'
// A standby says "read-only connections".
const READY = /ready to accept (?:read-only )?connections/
const SETTINGS = ['unix_socket_directories=', `listen_addresses=${HOST}`, 'max_connections=60']

/**
 * Starts a server and waits until it answers.
 * @param {readonly string[]} [settings]
 * @param {import('./postgres-server.mjs').PostgresData} [data]
 * @returns {Promise<import('./postgres-server.mjs').RunningPostgres>}
 */
export async function startPostgres(settings = [], data = {}) {
  const program = findServer('postgres')
  if (program === undefined)
    throw new Error(
      'This needs PostgreSQL: run `npm run setup`; for tests you may set POSTGRES_URL to a server that they may use.',
    )
  const folder = await makeServerFolder('postgres')
  fill(folder, dirname(program), data)
  const port = await freePort()
  const options = [...SETTINGS, ...settings].flatMap(setting => ['-c', setting])
  const args = ['-D', folder, '-p', `${port}`, ...options]
  const kept = await keepServer(() => run(program, args, folder), folder, 'SIGQUIT')
  return {
    url: `postgres://postgres@${HOST}:${port}/postgres`,
    port,
    folder,
    get process() {
      return kept.running().child
    },
    stop: () => kept.stop(),
    end: signal => kept.running().end(signal),
    start: () => kept.start(),
    freeze: () => kept.running().freeze(),
    thaw: () => kept.running().thaw(),
  }
}

/** @param {string} folder @param {string} programs @param {import('./postgres-server.mjs').PostgresData} data */
function fill(folder, programs, { copyOf, standbyOf }) {
  if (copyOf !== undefined) return call('cp', ['-a', `${copyOf}/.`, folder], folder)
  if (standbyOf !== undefined) {
    // -R makes it a standby of that server.
    const from = ['-h', HOST, '-p', `${standbyOf.port}`, '-U', 'postgres']
    const how = ['-R', '-X', 'stream', '--checkpoint=fast', '--no-sync']
    return call(programAt('pg_basebackup', programs), ['-D', folder, ...from, ...how], folder)
  }
  const how = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  call(programAt('initdb', programs), ['-D', folder, ...how], folder)
}

/** A program of PostgreSQL: beside the server, else where programs are. @param {'initdb' | 'pg_basebackup'} name @param {string} programs */
function programAt(name, programs) {
  const beside = join(programs, name)
  return existsSync(beside) ? beside : (findServer(name) ?? beside)
}

/** @param {string} program @param {string[]} args @param {string} cwd */
function call(program, args, cwd) {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8', ...SERVER_USER })
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`, { cause: error })
}

/** Runs a server on its data. @param {string} program @param {string[]} args @param {string} cwd */
function run(program, args, cwd) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd, ...SERVER_USER })
  const exited = once(child, 'exit')
  // At once, without waiting for the connections of tests.
  const killNow = () => void child.kill('SIGQUIT')
  process.once('exit', killNow)
  let isFrozen = false
  const freeze = () => {
    isFrozen = true
    signalAll(child, 'SIGSTOP')
  }
  const thaw = () => {
    if (isFrozen) signalAll(child, 'SIGCONT')
    isFrozen = false
  }
  return {
    child,
    ready: readyBy(child, 'postgres', READY),
    freeze,
    thaw,
    /** @param {import('./postgres-server.mjs').EndSignal} signal */
    async end(signal) {
      // A frozen process acts on no other signal.
      thaw()
      if (child.exitCode === null && child.signalCode === null) {
        if (signal === 'SIGKILL') signalAll(child, signal)
        else child.kill(signal)
        await exited
      }
      process.off('exit', killNow)
    },
  }
}

/**
 * Sends a signal to all processes of a server: it starts one for each connection.
 * @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal
 */
function signalAll(child, signal) {
  // First the process that starts the others.
  if (signal === 'SIGKILL') child.kill('SIGSTOP')
  else child.kill(signal)
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  for (const line of stdout.split('\n')) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number)
    if (pid === undefined || parent !== child.pid) continue
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
  if (signal === 'SIGKILL') child.kill(signal)
}
