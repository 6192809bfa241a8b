import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { mayShareData } from '@halt/core/store'
import { Redis } from 'ioredis'
import { createClient, createClientPool } from 'redis'
import { expect, inject, it, onTestFinished } from 'vitest'

import { unique } from '../../../tools/unique.ts'
import { RedisStore } from '../src/index.ts'

const policy = { name: 'per_user', limit: 5, window: 60, keyStrategy: 'user' } as const

function ioredis(options: object = {}): Redis {
  return new Redis({ lazyConnect: true, ...options })
}

it('two stores are in one place if prefix and server are equal, whichever client each has', async () => {
  const client = ioredis()
  const url = 'redis://127.0.0.1:6379/0'
  const clients = [
    client,
    ioredis({ host: '127.0.0.1' }),
    new Redis(url, { lazyConnect: true }),
    createClient(),
    createClient({ url }),
  ]
  const all = clients.map(each => new RedisStore({ client: each, connection: 'shared' }))
  for (const one of all) for (const other of all) expect(mayShareData(one, other)).toBe(true)
})

it('two stores are in two places if the prefix, the key prefix, the server or the database differs', () => {
  const store = (client: object, prefix = 'halt:'): RedisStore =>
    new RedisStore({ client, prefix, connection: 'shared' })
  const own = store(ioredis({ host: 'db' }))
  for (const other of [
    store(ioredis({ host: 'db' }), 'app:'),
    store(ioredis({ host: 'db', keyPrefix: 'app:' })),
    store(ioredis({ host: 'cache' })),
    store(ioredis({ host: 'db', port: 6380 })),
    store(ioredis({ host: 'db', db: 1 })),
    store(ioredis({ path: '/run/redis.sock' })),
    store(createClient({ url: 'redis://cache' })),
    store(createClient({ url: 'redis://db/1' })),
  ])
    expect(mayShareData(own, other)).toBe(false)
})

it('a client that does not tell its server may be on any', () => {
  const own = new RedisStore({ client: ioredis({ host: 'db' }), connection: 'shared' })
  const sentinels = ioredis({ sentinels: [{ host: 'a', port: 26379 }], name: 'main' })
  for (const client of [sentinels, createClientPool()])
    expect(mayShareData(own, new RedisStore({ client, connection: 'shared' }))).toBe(true)
  expect(mayShareData(own, new RedisStore({ run: () => Promise.resolve() }))).toBe(true)
  expect(mayShareData(own, new RedisStore({ run: () => Promise.resolve(), prefix: 'app:' }))).toBe(false)
})

it('a user who may not count processes is not warned because limiters obey a Control', async () => {
  const prefix = `${unique()}:`
  const admin = new Redis(inject('redisUrl'))
  const name = unique()
  await admin.acl('SETUSER', name, 'on', 'nopass', '~*', '+@all', '-zadd')
  const url = new URL(inject('redisUrl'))
  url.username = name
  url.password = 'any'
  const client = new Redis(url.href)
  const codes: string[] = []
  const warn = ({ code }: { code: string }): void => void codes.push(code)
  const store = new RedisStore({ client, prefix, connection: 'shared', warn })
  const control = new Control({ store, warn })
  void new RateLimiter({ store, policy, control, instances: 4, warn })
  onTestFinished(async () => {
    control.close()
    client.disconnect()
    await admin.acl('DELUSER', name)
    await admin.quit()
  })
  for (let i = 0; i < 3; i++) await control.refresh()
  // The heartbeat that was refused has been answered before this.
  expect(await store.obeyingProcesses()).toBe(0)
  expect(codes).toEqual([])
})

it('the store counts the processes whose limiters obey its control document, and no other reader', async () => {
  const prefix = `${unique()}:`
  const client = new Redis(inject('redisUrl'))
  const store = (): RedisStore => new RedisStore({ client, prefix, connection: 'shared' })
  const counters = store()
  const [reader, control] = [new Control({ store: store() }), new Control({ store: store() })]
  onTestFinished(async () => {
    for (const each of [reader, control]) each.close()
    await client.quit()
  })
  for (const each of [reader, control]) await each.refresh()
  expect(await counters.obeyingProcesses()).toBe(0)
  // Another store object, on one Redis with one prefix.
  void new RateLimiter({ store: counters, policy, control, warn: () => {} })
  await control.refresh()
  await expect.poll(() => counters.obeyingProcesses()).toBe(1)
})
