// Starts temporary MariaDB servers, for tests and benchmarks.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { findServer } from './find-server.mjs'
import { freePort } from './free-port.mjs'
import { keepServer, makeServerFolder, readyBy, SERVER_USER } from './server-folder.mjs'

const HOST = '127.0.0.1'
const SETTINGS = [
  `--bind-address=${HOST}`,
  '--skip-name-resolve',
  '--max-connections=100',
  '--performance-schema=OFF',
]
// As small as they may be: a new server then takes 30 MB of the disk.
const FILES = ['--innodb-log-file-size=4M', '--innodb-data-file-path=ibdata1:10M:autoextend']

/**
 * Starts a server and waits until it answers.
 * @param {readonly string[]} [settings]
 * @returns {Promise<import('./mariadb-server.mjs').RunningMariadb>}
 */
export async function startMariadb(settings = []) {
  const program = findServer('mariadbd')
  const installer = findServer('mariadb-install-db')
  if (program === undefined || installer === undefined)
    throw new Error(
      'This needs MariaDB: run `npm run setup`; for tests you may set MYSQL_URL to a server that they may use.',
    )
  const folder = await makeServerFolder('mariadb')
  const data = join(folder, 'data')
  fill(installer, data)
  await makeDatabase(join(data, 'halt'))
  const port = await freePort()
  const paths = [`--datadir=${data}`, `--socket=${join(folder, 'socket')}`, `--port=${port}`]
  const args = ['--no-defaults', ...paths, ...SETTINGS, ...FILES, ...settings]
  const kept = await keepServer(() => run(program, args), folder, 'SIGKILL')
  return {
    url: `mysql://root@${HOST}:${port}/halt`,
    port,
    get process() {
      return kept.running().child
    },
    stop: () => kept.stop(),
    end: signal => kept.running().end(signal),
    start: () => kept.start(),
  }
}

/** Makes the tables of an empty server. @param {string} installer @param {string} data */
function fill(installer, data) {
  const how = ['--auth-root-authentication-method=normal', '--skip-name-resolve', '--cross-bootstrap']
  const args = ['--no-defaults', `--datadir=${data}`, ...how, ...FILES]
  const { status, stdout, stderr, error } = spawnSync(installer, args, { encoding: 'utf8', ...SERVER_USER })
  if (status !== 0) throw new Error(`${installer} failed: ${stdout}${stderr}`, { cause: error })
}

/** Makes a database, which is a folder. @param {string} folder */
async function makeDatabase(folder) {
  await mkdir(folder, { recursive: true })
  const { uid, gid } = SERVER_USER
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid)
}

/** Runs a server on its data. @param {string} program @param {string[]} args */
function run(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], ...SERVER_USER })
  const exited = once(child, 'exit')
  const killNow = () => void child.kill('SIGKILL')
  process.once('exit', killNow)
  return {
    child,
    ready: readyBy(child, 'mariadbd', /ready for connections/),
    /** @param {'SIGTERM' | 'SIGKILL'} signal */
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal)
        // A stopped process acts on no other signal.
        child.kill('SIGCONT')
        await exited
      }
      process.off('exit', killNow)
    },
  }
}
