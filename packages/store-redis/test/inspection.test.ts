import { RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describe, inject } from 'vitest'

import { butSlow } from '../../../tools/but-slow.ts'
import { unique } from '../../../tools/unique.ts'
import { ask } from '../../../tools/servers.ts'
import { Stopwatch } from '../../../tools/stopwatch.ts'
import { RedisStore, type RedisStoreSettings } from '../src/index.ts'
import { startProxy } from './connection/proxy.ts'
import { it, portOf, type Scene, until } from './connection/scene.ts'

const policy = { name: 'p', limit: 5, window: 60 } as const

/** A limiter on a store of its own, and the warnings of that store. */
function limiterOn(
  scene: Scene,
  client: object,
  options: RedisStoreSettings = {},
  instances: number | 'auto' = 1,
): { limiter: RateLimiter; warnings: string[] } {
  const warnings: string[] = []
  const store = new RedisStore({ client, warn: ({ code }) => warnings.push(code), ...options })
  const limiter = new RateLimiter({ store, policy, instances, warn: () => {} })
  scene.defer(() => limiter.close())
  return { limiter, warnings }
}

function ioredis(scene: Scene, options: object): Redis {
  const client = new Redis(options)
  client.on('error', () => {})
  scene.defer(() => client.disconnect())
  return client
}

const codes = async (limiter: RateLimiter): Promise<string[]> =>
  butSlow(await limiter.ready()).map(({ code }) => code)

describe('ready()', () => {
  it('ready() gives no warning for a healthy server, whatever client leads to it', async ({
    scene,
    expect,
  }) => {
    for (const url of [inject('redisUrl'), inject('valkeyUrl')]) {
      for (const connection of ['own', 'shared'] as const) {
        for (const lazyConnect of [true, false]) {
          const client = ioredis(scene, { port: portOf(url), lazyConnect })
          const { limiter } = limiterOn(scene, client, { connection }, 'auto')
          expect(await codes(limiter)).toEqual([])
        }
      }
    }
  })

  it('ready() warns that a server is far away', async ({ scene, expect }) => {
    const proxy = await startProxy(scene, portOf(inject('redisUrl')))
    const { limiter } = limiterOn(scene, ioredis(scene, { port: proxy.port }))
    proxy.delay(() => 60)
    expect(await limiter.ready()).toMatchObject([{ code: 'HALT_W_STORE_SLOW' }])
  })

  it('ready() warns that no server answers, and gives a fix', async ({ scene, expect }) => {
    const { limiter } = limiterOn(scene, ioredis(scene, { port: 1 }))
    expect(butSlow(await limiter.ready())).toMatchObject([
      {
        code: 'HALT_W_STORE_UNAVAILABLE',
        message: /ECONNREFUSED/,
        fix: /runs and is reachable.*onStoreError/,
      },
    ])
  })

  it('ready() ends within seconds although a shared client waits for ever', async ({ scene, expect }) => {
    const server = await scene.server()
    const proxy = await startProxy(scene, server.port)
    const client = ioredis(scene, { port: proxy.port })
    const { limiter } = limiterOn(scene, client, { connection: 'shared' })
    await until('the client', () => client.status === 'ready')
    proxy.mute()
    const watch = new Stopwatch()
    expect(await codes(limiter)).toEqual(['HALT_W_STORE_UNAVAILABLE'])
    expect(watch.stop()).toBeLessThan(6_500)
  })

  it('ready() gives the right fix for a login, a database, and a plain client on a cluster', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server({ args: ['--requirepass', 'secret'] })
    const cases = [
      [ioredis(scene, { port: server.port }), /user name and password/],
      [ioredis(scene, { port: portOf(inject('redisUrl')), db: 99 }), /Correct the setting of the server/],
      [createClient({ url: inject('redisUrl'), database: 99 }), /Correct the setting of the server/],
    ] as const
    for (const [client, fix] of cases) {
      const { limiter } = limiterOn(scene, client)
      expect(butSlow(await limiter.ready())).toMatchObject([{ code: 'HALT_W_STORE_MISCONFIGURED', fix }])
    }
  })

  it('ready() warns once that a replica cannot count, whether INFO is permitted or not', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    await ask(server.port, 'ACL SETUSER blind on >pw ~* +@all -info')
    await ask(server.port, 'REPLICAOF 127.0.0.1 1')
    for (const login of [{}, { username: 'blind', password: 'pw', enableReadyCheck: false }]) {
      const { limiter } = limiterOn(scene, ioredis(scene, { port: server.port, ...login }))
      expect(await codes(limiter)).toEqual(['HALT_W_REPLICA'])
    }
  })

  it('ready() warns of eviction and of full memory', async ({ scene, expect }) => {
    const server = await scene.server({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] })
    const { limiter } = limiterOn(scene, ioredis(scene, { port: server.port }))
    expect(await codes(limiter)).toEqual(['HALT_W_EVICTION'])
    await ask(server.port, 'CONFIG SET maxmemory-policy noeviction')
    await ask(server.port, 'CONFIG SET maxmemory 1')
    expect(butSlow(await limiter.ready())).toMatchObject([{ code: 'HALT_W_STORE_FULL', fix: /maxmemory/ }])
  })

  it('ready() names the command that a check, or a heartbeat that is on, may not run', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    await ask(server.port, 'ACL SETUSER app on >pw ~* +@all -zadd')
    const client = ioredis(scene, { port: server.port, username: 'app', password: 'pw' })
    const { limiter, warnings } = limiterOn(scene, client, {}, 'auto')
    expect(butSlow(await limiter.ready())).toMatchObject([
      { code: 'HALT_W_PERMISSION', message: /count the processes.*zadd/, fix: /\+zadd.*instances/ },
    ])
    // The heartbeat warns even without ready().
    const { limiter: silent, warnings: told } = limiterOn(scene, client, {}, 'auto')
    const isTold = async (): Promise<boolean> => {
      await silent.consume('x')
      return told.length > 0
    }
    await until('a warning', isTold)
    expect(told).toEqual(['HALT_W_PERMISSION'])
    expect(warnings).toEqual([])
    expect(await codes(limiterOn(scene, client, {}, 4).limiter)).toEqual([])
    await ask(server.port, 'ACL SETUSER app +zadd -mget')
    expect(butSlow(await limiter.ready())).toMatchObject([
      { code: 'HALT_W_PERMISSION', message: /mget/, fix: /\+mget/ },
    ])
  })

  it('ready() asks for +select if the client has a database number', async ({ scene, expect }) => {
    const server = await scene.server()
    await ask(server.port, 'ACL SETUSER app on >pw ~* +@all -select')
    const login = { username: 'app', password: 'pw' }
    const clients = (number: number): object[] => [
      ioredis(scene, { port: server.port, ...login, db: number }),
      createClient({ url: `redis://127.0.0.1:${server.port}`, ...login, database: number }),
    ]
    for (const client of clients(1)) {
      const { limiter } = limiterOn(scene, client)
      expect(butSlow(await limiter.ready())).toMatchObject([
        { code: 'HALT_W_PERMISSION', message: /select/, fix: /\+select.*database other than 0/ },
      ])
    }
    for (const client of clients(0)) expect(await codes(limiterOn(scene, client).limiter)).toEqual([])
    await ask(server.port, 'ACL SETUSER app +select')
    for (const client of clients(1)) expect(await codes(limiterOn(scene, client).limiter)).toEqual([])
  })

  it('ready() runs no TIME if clock is "client"', async ({ scene, expect }) => {
    const server = await scene.server()
    await ask(server.port, 'ACL SETUSER app on >pw ~* +@all -time')
    const client = ioredis(scene, { port: server.port, username: 'app', password: 'pw' })
    expect(await codes(limiterOn(scene, client, { clock: 'client' }).limiter)).toEqual([])
    expect(await codes(limiterOn(scene, client).limiter)).toEqual(['HALT_W_PERMISSION'])
  })
})

it('the store counts no processes until instances() is called', async ({ expect }) => {
  const client = new Redis(inject('redisUrl'))
  const prefix = `${unique()}:`
  const one = new RateLimiter({ store: new RedisStore({ client, prefix }), policy, instances: 3 })
  await one.consume('x')
  expect(await client.exists(`${prefix}{${prefix}instances}:z`)).toBe(0)
  const auto = new RateLimiter({ store: new RedisStore({ client, prefix }), policy })
  await auto.ready()
  expect(await client.zcard(`${prefix}{${prefix}instances}:z`)).toBe(1)
  await Promise.all([one.close(), auto.close()])
  await client.quit()
})
