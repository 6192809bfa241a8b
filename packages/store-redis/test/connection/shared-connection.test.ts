import { RateLimiter } from '@halt/core'
import { Redis as Redis6 } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createClient } from 'redis'
import { describe, inject } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { ask } from '../../../../tools/servers.ts'
import { RedisStore } from '../../src/index.ts'
import { singles } from './makers.ts'
import { startProxy } from './proxy.ts'
import { it, portOf, until } from './scene.ts'

const policy = { name: 'p', limit: 1000, window: '1000h', algorithm: 'fixed-window' } as const

/** The count of a key in Redis. */
async function counted(port: number, prefix: string, name: string): Promise<number> {
  const key = `${prefix}{custom:${name}}:p:f`
  return Number(
    await ask(port, `EVAL "return tostring((struct.unpack('>d',redis.call('GET','${key}'),17)))" 0`),
  )
}

describe.each(singles.filter(({ kind }) => kind === 'single'))('$name, shared', maker => {
  it('a store counts a call once although its reply was lost and the client sends it again', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    const proxy = await startProxy(scene, server.port)
    const user = scene.user(maker, proxy.port)
    await user.connect()
    const store = new RedisStore({ client: user.client, connection: 'shared' })
    const limiter = new RateLimiter({ store, policy, warn: () => {} })
    scene.defer(() => limiter.close())
    await limiter.consume('x')
    proxy.mute()
    const lost = [1, 2].map(() => limiter.consume('x'))
    for (const { degraded } of await Promise.all(lost)) expect(degraded).toBe('local')
    expect(await counted(server.port, 'halt:', 'x')).toBe(3)
    proxy.cut()
    await until('the client to be back', async () => (await limiter.consume('y')).degraded === false)
    // Commands that it sends again come before newer ones.
    expect(await counted(server.port, 'halt:', 'x')).toBe(3)
  })
})

describe.each([
  ['ioredis 6', Redis6 as any],
  ['ioredis 5', Redis5 as any],
] as const)('%s, shared', (_name, Redis) => {
  it('a store refuses commands that the client queued for a lost connection', async ({ scene, expect }) => {
    const server = await scene.server()
    const client = new Redis(server.port)
    client.on('error', () => {})
    scene.defer(() => client.disconnect())
    const store = new RedisStore({ client, connection: 'shared' })
    const limiter = new RateLimiter({ store, policy, warn: () => {} })
    await limiter.consume('x')
    // The client stays ready until it reads from the socket, and queues commands meanwhile.
    client.stream.end()
    const queued = limiter.consume('x')
    expect((await queued).degraded).toBe('local')
    await until('the client to be back', async () => (await limiter.consume('y')).degraded === false)
    expect(await counted(server.port, 'halt:', 'x')).toBe(1)
  })

  it('a store decides in Redis from the first check, whether the client connects by itself or not', async ({
    scene,
    expect,
  }) => {
    for (const lazyConnect of [false, true]) {
      const client = new Redis(inject('redisUrl'), { lazyConnect })
      scene.defer(() => client.disconnect())
      const prefix = `${unique()}:`
      const store = new RedisStore({ client, connection: 'shared', prefix })
      const limiter = new RateLimiter({ store, policy, storeTimeout: '3s' })
      expect((await limiter.consume('x')).degraded, String(lazyConnect)).toBe(false)
      expect(await counted(portOf(inject('redisUrl')), prefix, 'x')).toBe(1)
    }
  })

  it.for(['own', 'shared'] as const)(
    'a store refuses a database that there is not: %s',
    async (connection, { scene, expect }) => {
      const client = new Redis(inject('redisUrl'), { db: 99 })
      client.on('error', () => {})
      scene.defer(() => client.disconnect())
      const prefix = `${unique()}:`
      const store = new RedisStore({ client, connection, prefix })
      const codes: string[] = []
      const limiter = new RateLimiter({
        store,
        policy,
        storeTimeout: '3s',
        warn: ({ code }) => codes.push(code),
      })
      scene.defer(() => limiter.close())
      expect((await limiter.consume('x')).degraded).toBe('local')
      expect(codes).toEqual(['HALT_W_STORE_MISCONFIGURED'])
      await expect(store.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_MISCONFIGURED' })
      // ioredis itself would use database 0.
      expect(await ask(portOf(inject('redisUrl')), `EXISTS ${prefix}{custom:x}:p:f`)).toBe('0')
    },
  )
})

it('a check waits for a node-redis client that is connecting', async ({ scene, expect }) => {
  const client = createClient({ url: inject('redisUrl') })
  scene.defer(() => client.destroy())
  const connecting = client.connect()
  const store = new RedisStore({ client, connection: 'shared', prefix: `${unique()}:` })
  const limiter = new RateLimiter({ store, policy, storeTimeout: '3s' })
  expect((await limiter.consume('x')).degraded).toBe(false)
  await connecting
})
