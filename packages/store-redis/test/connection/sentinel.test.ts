import { setTimeout as sleep } from 'node:timers/promises'

import { Redis as Redis6 } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import * as redis6 from 'redis'
import * as redis5 from 'redis5'
import { describe, expect, it, onTestFinished } from 'vitest'

import { ask } from '../../../../tools/servers.ts'
import { counting, freshKey, type Made, open, until } from './clients.ts'
import { startSentinel } from './sentinel.ts'

function ioredis(Redis: typeof Redis6): (port: number) => Made {
  return port => {
    const client = new Redis({
      sentinels: [{ host: '127.0.0.1', port }],
      name: 'main',
      lazyConnect: true,
      keyPrefix: 'p:',
    })
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.quit(),
      kill: () => client.disconnect(),
    }
  }
}

function nodeRedis(redis: typeof redis6): (port: number) => Made {
  return port => {
    const client = redis.createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port }] })
    client.on('error', () => {})
    return {
      client,
      connect: () => client.connect(),
      quit: () => client.close(),
      kill: () => void Promise.resolve(client.destroy()).catch(() => {}),
    }
  }
}

const makers = [
  { name: 'ioredis 6', make: ioredis(Redis6) },
  { name: 'ioredis 5', make: ioredis(Redis5 as unknown as typeof Redis6) },
  { name: 'redis 6', make: nodeRedis(redis6) },
  { name: 'redis 5', make: nodeRedis(redis5 as unknown as typeof redis6) },
]

describe.each(makers)('$name through Sentinel', ({ name, make }) => {
  it.each(['kill', 'stop', 'demote'])(
    'finds the new master after: %s',
    async how => {
      const watched = await startSentinel()
      onTestFinished(() => watched.stop())
      const user = make(watched.sentinel.port)
      onTestFinished(() => user.kill())
      await user.connect()
      const link = open(user.client)
      await link.opened
      expect(link.topology).toBe('sentinel')
      const count = counting()
      const key = freshKey()
      expect(await link.run(count, [key], ['1'])).toEqual([1, '1'])
      const ported = async (): Promise<boolean> =>
        (await master(watched.sentinel.port).catch(() => 0)) === watched.replica.port
      if (how === 'kill') await watched.master.stop()
      if (how === 'stop') watched.master.process.kill('SIGSTOP')
      if (how === 'demote') {
        await until(
          'a failover',
          () =>
            ask(watched.sentinel.port, 'SENTINEL FAILOVER main').then(
              () => true,
              () => false,
            ),
          20_000,
        )
      }
      let probing = true
      const load = (async () => {
        while (probing) {
          link.run(count, [freshKey()], ['1']).catch(() => {})
          await sleep(20)
        }
      })()
      const announced = await until('a new master', ported, 20_000)
      const answered = async (): Promise<boolean> =>
        link.run(count, [freshKey()], ['1']).then(
          () => true,
          () => false,
        )
      const ms = await until('the new master to be found', answered, 15_000)
      probing = false
      await load
      console.log(name, how, 'announced after', Math.round(announced), 'found after', Math.round(ms))
    },
    40_000,
  )
  it('shared', async () => {
    const watched = await startSentinel()
    onTestFinished(() => watched.stop())
    const user = make(watched.sentinel.port)
    onTestFinished(() => user.kill())
    await user.connect()
    const link = open(user.client, { connection: 'shared' })
    expect(await link.run(counting(), [freshKey()], ['1'])).toEqual([1, '1'])
    expect(await link.command(['PING'])).toBe('PONG')
  })
})

async function master(sentinel: number): Promise<number> {
  const redis = new Redis6({ port: sentinel, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    const [, port] = (await redis.call('SENTINEL', 'get-master-addr-by-name', 'main')) as string[]
    return Number(port)
  } finally {
    redis.disconnect()
  }
}
