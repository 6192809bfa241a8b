import { storeSuite, type StoreFactory } from '@halt/conformance'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { createClient, createCluster } from 'redis'
import { createClient as createClient5 } from 'redis5'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { isFull } from '../../../../tools/full.ts'
import { RedisStore, type RedisStoreSettings } from '../../src/index.ts'

const clients: { close: () => unknown }[] = []
// In a hook, because nothing ends a file whose own code waits for ever.
const connections: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  for (const connect of connections) await connect()
})
afterAll(async () => {
  for (const { close } of clients) await close()
})

/** A store per test, with a prefix of its own, so that tests share no keys. */
function factory(
  name: string,
  client: object,
  options: RedisStoreSettings = {},
  more: Partial<StoreFactory> = {},
): StoreFactory {
  const settings = new WeakMap<object, ConstructorParameters<typeof RedisStore>[0]>()
  const open = (own: ConstructorParameters<typeof RedisStore>[0]): RedisStore => {
    const store = new RedisStore(own)
    settings.set(store, own)
    return store
  }
  const make = (clock: () => number): RedisStore =>
    open({ client, clock, connection: 'shared', prefix: `${unique()}:`, ...options })
  const another = (store: object): RedisStore => open(settings.get(store)!)
  return {
    name,
    make,
    another,
    end: store => store.close?.(),
    histories: 2,
    steps: 250,
    stepsBack: true,
    marks: true,
    ...more,
  }
}

/** What ioredis plays on one server: most random steps of all. */
const MANY: Partial<StoreFactory> = isFull ? { histories: 6, steps: 400 } : { histories: 2, steps: 300 }
/** In the short form the cluster and node-redis, which send the same scripts, play fewer random steps. */
const FEW: Partial<StoreFactory> = isFull ? {} : { histories: 1, steps: 60, instances: false }

function open<T>(client: T, close: (client: T) => unknown): T {
  clients.push({ close: () => close(client) })
  return client
}

for (const server of ['redisUrl', 'valkeyUrl'] as const) {
  const url = inject(server)
  const io = open(new Redis(url), client => client.quit())
  const node = open(createClient({ url }), client => client.close())
  connections.push(() => node.connect())
  // The short form has each new client once, each server once, and the cluster once.
  if (server === 'redisUrl' || isFull)
    storeSuite({ describe, expect, it }, factory(`RedisStore on ioredis, ${server}`, io, {}, MANY))
  if (server === 'valkeyUrl' || isFull)
    storeSuite({ describe, expect, it }, factory(`RedisStore on node-redis, ${server}`, node, {}, FEW))
  if (!isFull) continue
  const io5 = open(new Redis5(url), client => client.quit())
  const node5 = open(createClient5({ url }), client => client.close())
  connections.push(() => node5.connect())
  storeSuite({ describe, expect, it }, factory(`RedisStore on ioredis 5, ${server}`, io5))
  storeSuite({ describe, expect, it }, factory(`RedisStore on node-redis 5, ${server}`, node5))
}

const nodes = inject('clusterNodes')
const ioCluster = open(new Cluster(nodes), client => client.quit())
const nodeCluster = open(
  createCluster({ rootNodes: nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) }),
  client => client.close(),
)
connections.push(() => nodeCluster.connect())
for (const [name, client] of [
  ['ioredis', ioCluster],
  ['node-redis', nodeCluster],
] as const) {
  if (client === nodeCluster && !isFull) continue
  storeSuite(
    { describe, expect, it },
    factory(`RedisStore on a cluster, ${name}`, client, {}, { oneInstant: false, ...FEW }),
  )
  if (!isFull) continue
  storeSuite(
    { describe, expect, it },
    factory(`RedisStore on a cluster in one slot, ${name}`, client, { slots: 'one' }),
  )
}
