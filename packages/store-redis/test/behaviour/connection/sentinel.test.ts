import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Redis } from 'ioredis'
import { describe } from 'vitest'

import { findServer } from '../../../../../tools/find-server.mjs'
import { ask, type RunningServer } from '../../../../../tools/servers.ts'
import { sentinels } from '../../connection/makers.ts'
import {
  all,
  answers,
  counting,
  each,
  freshKey,
  it,
  type Scene,
  succeeds,
  until,
  SOON_MS,
} from '../../connection/scene.ts'

interface Watched {
  readonly master: RunningServer
  readonly replica: RunningServer
  readonly port: number
}

/** A master, a replica, and a Sentinel that fails over half a second after the master is lost. */
async function startSentinel(scene: Scene): Promise<Watched> {
  const [master, replica, spare] = await Promise.all([scene.server(), scene.server(), scene.server()])
  await ask(replica.port, `REPLICAOF 127.0.0.1 ${master.port}`)
  // Its port is free after it has ended.
  const { port } = spare
  await spare.stop()
  const dir = await mkdtemp(join(tmpdir(), 'halt-sentinel-'))
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 2000',
  ]
  await writeFile(join(dir, 'sentinel.conf'), lines.join('\n'))
  const sentinel = spawn(findServer('redis-server')!, [join(dir, 'sentinel.conf'), '--sentinel'], {
    stdio: 'ignore',
  })
  scene.defer(async () => {
    sentinel.kill('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  })
  const knows = (): Promise<boolean> =>
    ask(port, 'INFO sentinel').then(
      text => text.includes('slaves=1'),
      () => false,
    )
  await until('the Sentinel to know the replica', knows)
  return { master, replica, port }
}

async function masterOf(port: number): Promise<number> {
  const redis = new Redis({ port, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    const [, master] = (await redis.call('SENTINEL', 'get-master-addr-by-name', 'main')) as string[]
    return Number(master)
  } finally {
    redis.disconnect()
  }
}

describe.concurrent('an own connection through Sentinel', () => {
  for (const how of ['killed', 'stopped', 'demoted']) {
    it(`an own connection finds the new master when the old one is ${how}`, async ({ scene, expect }) => {
      const { master, replica, port } = await startSentinel(scene)
      const actors = await scene.cast(sentinels, port)
      const count = counting()
      expect(await each(actors, ({ connection }) => connection.topology)).toEqual(all(actors, 'sentinel'))
      expect(await each(actors, ({ connection }) => connection.run(count, [freshKey()], ['1']))).toEqual(
        all(actors, [1, '1']),
      )
      for (const { connection } of actors) {
        const timer = setInterval(() => void succeeds(connection.run(count, [freshKey()], ['1'])), 20)
        scene.defer(() => clearInterval(timer))
      }
      if (how === 'killed') await master.stop()
      else if (how === 'stopped') master.process.kill('SIGSTOP')
      else await until('the Sentinel to agree', () => succeeds(ask(port, 'SENTINEL FAILOVER main')))
      await until('a new master', async () => (await masterOf(port).catch(() => 0)) === replica.port)
      const found = await each(actors, ({ connection }) => answers(connection))
      // A node-redis client searches for its master once per second, and a hanging attempt takes two seconds.
      for (const { name } of actors) expect(found[name], name).toBeLessThan(2 * SOON_MS)
    })
  }

  it('a client of Sentinel works as a shared connection', async ({ scene, expect }) => {
    const { port } = await startSentinel(scene)
    for (const maker of sentinels) {
      const user = scene.user(maker, port)
      await user.connect()
      const connection = scene.connection(user.client, { connection: 'shared' })
      expect(await connection.run(counting(), [freshKey()], ['1']), maker.name).toEqual([1, '1'])
      expect(await connection.command(['PING']), maker.name).toBe('PONG')
    }
  })

  it('an own connection through Sentinel ends when the client ends', async ({ scene, expect }) => {
    const { port } = await startSentinel(scene)
    const actors = await scene.cast(sentinels, port)
    for (const { user } of actors) await user.quit()
    for (const { name, connection } of actors)
      expect(await until('it to end', () => !connection.ready), name).toBeLessThan(SOON_MS)
  })
})
