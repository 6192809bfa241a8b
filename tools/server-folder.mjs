// A temporary server of a database, which runs on a folder of its own.
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Servers do not run as root, so root runs them as the user nobody.
const NOBODY = { uid: 65_534, gid: 65_534 }
const isRoot = process.getuid?.() === 0
/** The user that runs servers, for `spawn`. */
export const SERVER_USER = isRoot ? NOBODY : {}

/** Makes a temporary folder that a server may write. @param {string} name */
export async function makeServerFolder(name) {
  const folder = await mkdtemp(join(tmpdir(), `halt-${name}-`))
  if (isRoot) await chown(folder, NOBODY.uid, NOBODY.gid)
  return folder
}

/**
 * Starts a server, and keeps it until it is stopped for good, with its folder.
 *
 * @template {import('./server-folder.mjs').Run} R
 * @param {() => R} run
 * @param {string} folder
 * @param {NodeJS.Signals} quick ends it at once
 */
export async function keepServer(run, folder, quick) {
  let running = run()
  let stopped = false
  const stop = async () => {
    await running.end(/** @type {never} */ (quick))
    if (stopped) return
    stopped = true
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await running.ready
  } catch (error) {
    await stop()
    throw error
  }
  return {
    running: () => running,
    stop,
    async start() {
      running = run()
      await running.ready
    },
  }
}

/**
 * Resolves when the log of a server says that it accepts connections. Rejects with the log if it exits first.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} name
 * @param {RegExp} says
 * @returns {Promise<void>}
 */
export function readyBy(child, name, says) {
  return new Promise((resolve, reject) => {
    let log = ''
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`${name} ended with code ${code}\n${log.slice(-2000)}`)))
    child.stderr?.setEncoding('utf8').on('data', text => {
      if (log.length > 20_000) return
      log += text
      if (says.test(log)) resolve()
    })
  })
}
