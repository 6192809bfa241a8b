// Starts a temporary Redis or Valkey, for demos and benchmarks. Tests use servers.ts, which does more.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { findServer } from './find-server.mjs'
import { freePort } from './free-port.mjs'

const HOST = '127.0.0.1'

/**
 * Starts the first of these programs that is installed, and waits until it answers. Undefined if none is.
 * @param {...import('./find-server.mjs').ServerProgram} programs
 * @returns {Promise<import('./redis-server.mjs').TemporaryRedis | undefined>}
 */
export async function startTemporaryRedis(...programs) {
  const path = programs.map(findServer).find(found => found !== undefined)
  if (path === undefined) return undefined
  const dir = await mkdtemp(join(tmpdir(), 'halt-redis-'))
  const port = await freePort()
  const args = ['--port', `${port}`, '--bind', HOST, '--dir', dir, '--save', '', '--appendonly', 'no']
  const start = () => spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let child = start()
  const kill = () => void child.kill('SIGKILL')
  const end = async () => {
    const ended = once(child, 'exit')
    kill()
    await ended
  }
  process.once('exit', kill)
  await isReady(child)
  return {
    url: `redis://${HOST}:${port}`,
    async lose(ms) {
      await end()
      await sleep(ms)
      child = start()
      await isReady(child)
    },
    async stop() {
      await end()
      process.off('exit', kill)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<void>} */
function isReady(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`The server ended with code ${code}.`)))
    child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      if (text.includes('Ready to accept connections')) resolve()
    })
  })
}
