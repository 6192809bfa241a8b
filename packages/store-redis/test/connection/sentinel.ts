import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { findServer } from '../../../../tools/find-server.mjs'
import { ask, startRedis, type RunningServer } from '../../../../tools/servers.ts'
import { until } from './clients.ts'

/** A master, a replica, and a Sentinel that watches them and fails over after half a second. */
export interface Watched {
  readonly master: RunningServer
  readonly replica: RunningServer
  readonly sentinel: { readonly port: number }
  stop(): Promise<void>
}

export async function startSentinel(): Promise<Watched> {
  const [master, replica] = [
    await startRedis(),
    await startRedis({ args: ['--repl-diskless-sync-delay', '0'] }),
  ]
  await ask(replica.port, `REPLICAOF 127.0.0.1 ${master.port}`)
  const dir = await mkdtemp(join(tmpdir(), 'halt-sentinel-'))
  const port = await freePort()
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 2000',
  ]
  await writeFile(join(dir, 'sentinel.conf'), lines.join('\n'))
  const child = spawn(findServer('redis-server')!, [join(dir, 'sentinel.conf'), '--sentinel'], {
    stdio: 'ignore',
  })
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await Promise.all([master.stop(), replica.stop()])
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await until(
      'the Sentinel to know the replica',
      async () => (await ask(port, 'INFO sentinel').catch(() => '')).includes('slaves=1'),
      20_000,
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { master, replica, sentinel: { port }, stop }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
