import { RateLimiter } from '@halt/core'
import type { CounterId } from '@halt/core/store'
import { Cluster, Redis } from 'ioredis'
import { describe, inject } from 'vitest'

import { unique } from '../../../tools/unique.ts'
import { RedisStore, type Run } from '../src/index.ts'
import { keyWriter, slotOf } from '../src/keys.ts'
import { it, type Scene } from './connection/scene.ts'

const nodes = inject('clusterNodes')

function opened<C extends Redis | Cluster>(scene: Scene, client: C): C {
  client.on('error', () => {})
  scene.defer(() => client.disconnect())
  return client
}

const cellsOf = (subjects: readonly string[], count: number): CounterId[] =>
  subjects.flatMap(subject =>
    Array.from({ length: count }, (_, i) => ({ subject, counter: `p@GET:/${i}:t` })),
  )

describe('forget() of ten thousand counters', () => {
  it('forget() of ten thousand counters sends slices, a few at a time, and deletes them all', async ({
    scene,
    expect,
  }) => {
    const client = opened(scene, new Redis(inject('redisUrl')))
    const prefix = `${unique()}:`
    const sizes: number[] = []
    let [out, most] = [0, 0]
    const run: Run = async ({ source }, keys, args) => {
      sizes.push(keys.length)
      most = Math.max(most, ++out)
      const reply = await client.eval(source, keys.length, ...keys, ...args)
      out--
      return reply
    }
    const store = new RedisStore({ run, prefix })
    const counters = cellsOf(['user:42'], 10_000)
    const key = keyWriter(prefix, false, text => text)
    for (let at = 0; at < counters.length; at += 1000) {
      const some = counters.slice(at, at + 1000)
      await client.mset(Object.fromEntries(some.map(({ subject, counter }) => [key(subject, counter), 'x'])))
    }
    await client.set(key('user:43', 'p:t'), 'x')
    await store.forget(counters)
    expect(sizes.reduce((a, b) => a + b)).toBe(10_000)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500)
    expect(most).toBeLessThanOrEqual(8)
    expect(await client.exists(...counters.map(({ subject, counter }) => key(subject, counter)))).toBe(0)
    expect(await client.del(key('user:43', 'p:t'))).toBe(1)
  })

  it('forget() rejects when a call fails, and sends no more', async ({ expect }) => {
    let calls = 0
    const run: Run = () => {
      calls++
      return Promise.resolve('QUEUED')
    }
    const store = new RedisStore({ run })
    await expect(store.forget(cellsOf(['user:42'], 100_000))).rejects.toMatchObject({
      code: 'HALT_E_STORE_SCRIPT',
    })
    expect(calls).toBeLessThanOrEqual(8)
  })

  it('forget() deletes keys of many subjects on a cluster, with the key prefix of the client', async ({
    scene,
    expect,
  }) => {
    const client = opened(scene, new Cluster(nodes, { keyPrefix: 'mine:' }))
    const prefix = `${unique()}:`
    const store = new RedisStore({ client, prefix })
    const counters = cellsOf(['user:1', 'user:2', 'ip:203.0.113.7', 'custom:x', 'custom:y'], 700)
    const key = keyWriter(prefix, false, text => text)
    const names = counters.map(({ subject, counter }) => key(subject, counter))
    await Promise.all(names.map(name => client.set(name, 'x')))
    await store.forget(counters)
    const left = await Promise.all(names.map(name => client.exists(name)))
    expect(left.every(count => count === 0)).toBe(true)
    await store.close()
  })
})

describe('a plain client on a cluster', () => {
  /** Users whose counters are on the first node, each in its own slot. */
  function local(prefix: string, count: number): string[] {
    const key = keyWriter(prefix, false, text => text)
    const names: string[] = []
    for (let i = 0; names.length < count; i++)
      if (slotOf(key(`custom:${i}`, 'p:t')) * nodes.length < 16_384) names.push(String(i))
    return names
  }

  it('all pending calls notice a plain client on a cluster, and each check is decided', async ({
    scene,
    expect,
  }) => {
    const cluster = opened(scene, new Cluster(nodes))
    await cluster.ping()
    const [host = '', port] = (cluster as unknown as { slots: string[][] }).slots[0]?.[0]?.split(':') ?? []
    const client = opened(scene, new Redis({ host, port: Number(port) }))
    const prefix = `${unique()}:`
    const codes: string[] = []
    const warn = ({ code }: { code: string }): unknown => codes.push(code)
    const store = new RedisStore({ client, prefix, warn })
    const options = { onStoreError: 'closed', storeTimeout: '5s', instances: 1, warn: () => {} } as const
    const limiter = new RateLimiter({ store, policy: { name: 'p', limit: 1, window: '1h' }, ...options })
    scene.defer(() => limiter.close())
    const users = local(prefix, 100)
    const all = await Promise.all(users.map(user => limiter.consume(user)))
    expect(all.filter(({ allowed, degraded }) => !allowed || degraded !== false)).toEqual([])
    expect(codes).toEqual(['HALT_W_CROSSSLOT'])
    await store.forget(users.map(user => ({ subject: `custom:${user}`, counter: 'p:t' })))
    const again = await Promise.all(users.map(user => limiter.consume(user)))
    expect(again.every(({ allowed }) => allowed)).toBe(true)
  })

  it('forget() notices a plain client on a cluster, too', async ({ scene, expect }) => {
    const cluster = opened(scene, new Cluster(nodes))
    await cluster.ping()
    const [host = '', port] = (cluster as unknown as { slots: string[][] }).slots[0]?.[0]?.split(':') ?? []
    const client = opened(scene, new Redis({ host, port: Number(port) }))
    const prefix = `${unique()}:`
    const codes: string[] = []
    const store = new RedisStore({ client, prefix, warn: ({ code }) => codes.push(code) })
    const counters = local(prefix, 50).map(user => ({ subject: `custom:${user}`, counter: 'p:t' }))
    const key = keyWriter(prefix, false, text => text)
    await Promise.all(counters.map(({ subject, counter }) => cluster.set(key(subject, counter), 'x')))
    await store.forget(counters)
    const left = await Promise.all(
      counters.map(({ subject, counter }) => cluster.exists(key(subject, counter))),
    )
    expect(left.every(count => count === 0)).toBe(true)
    expect(codes).toEqual(['HALT_W_CROSSSLOT'])
    await store.close()
  })
})
