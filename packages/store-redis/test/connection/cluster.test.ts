import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, inject, it, onTestFinished } from 'vitest'

import {
  ask,
  type ClusterOptions,
  type RunningCluster,
  type RunningServer,
  startCluster,
} from '../../../../tools/servers.ts'
import { type Link, toStoreError } from '../../src/connection/index.ts'
import { slotOf } from '../../src/keys.ts'
import { clusters, counting, made, open, singles, until } from './clients.ts'

async function start(options: ClusterOptions): Promise<RunningCluster> {
  const cluster = await startCluster(options)
  onTestFinished(() => cluster.stop())
  return cluster
}

/** A key that one of three masters serves. */
function keyOf(master: number): string {
  for (let i = 0; ; i++) {
    const key = `{${Math.random().toString(36).slice(2)}}`
    if (Math.floor((slotOf(key) * 3) / 16384) === master) return key
  }
}

/** Calls each master's slots every few milliseconds, and keeps when the last error of each was. */
function watch(link: Link): {
  errors: Map<number, string>
  lastError: number[]
  stop(): void
  slowest: number[]
} {
  const count = counting()
  const state = {
    errors: new Map<number, string>(),
    lastError: [0, 0, 0],
    slowest: [0, 0, 0],
    stop: () => clearInterval(timer),
  }
  const timer = setInterval(() => {
    for (const master of [0, 1, 2]) {
      const begun = performance.now()
      link.run(count, [keyOf(master)], ['1']).then(
        () => {
          state.slowest[master] = Math.max(state.slowest[master]!, performance.now() - begun)
        },
        (error: unknown) => {
          state.lastError[master] = performance.now()
          state.errors.set(master, String(toStoreError(error).message))
        },
      )
    }
  }, 10)
  onTestFinished(() => clearInterval(timer))
  return state
}

describe.each(clusters)('$name', maker => {
  it.each(['killed', 'stopped'])(
    'serves the other nodes, and goes to the replica, when a master is %s',
    async how => {
      const cluster = await start({
        replicas: 1,
        nodeTimeout: 1_000,
        args: ['--cluster-require-full-coverage', 'no'],
      })
      const user = made(maker, cluster.nodes[1]!.port)
      await user.connect()
      const link = open(user.client)
      await link.opened
      const seen = watch(link)
      await sleep(300)
      expect(seen.errors).toEqual(new Map())
      const [master] = cluster.servers
      const replica = cluster.servers[3]!
      if (how === 'killed') await master!.stop()
      else master!.process.kill('SIGSTOP')
      await until(
        'a failover',
        async () =>
          (await ask(replica.port, 'ROLE').catch(() => '')).startsWith('6') ||
          (await ask(replica.port, 'INFO replication').catch(() => '')).includes('role:master'),
        20_000,
      )
      const failedOver = performance.now()
      const count = counting()
      const ms = await until(
        'the replica to be found',
        () =>
          link.run(count, [keyOf(0)], ['1']).then(
            () => true,
            () => false,
          ),
        10_000,
      )
      await sleep(1_500)
      seen.stop()
      console.log(
        maker.name,
        how,
        'found after',
        Math.round(ms),
        'last error after',
        Math.round(seen.lastError[0]! - failedOver),
        [...seen.errors],
        seen.slowest.map(Math.round),
      )
      expect(seen.errors.get(1)).toBeUndefined()
      expect(seen.errors.get(2)).toBeUndefined()
    },
    60_000,
  )

  it('serves the other nodes while one is away, and that one when it is back', async () => {
    const cluster = await start({ nodeTimeout: 30_000 })
    const user = made(maker, cluster.nodes[1]!.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const seen = watch(link)
    await sleep(200)
    const [lost] = cluster.servers
    lost!.process.kill('SIGSTOP')
    await sleep(3_500)
    expect(link.ready).toBe(true)
    expect(seen.errors.get(1)).toBeUndefined()
    expect(seen.errors.get(2)).toBeUndefined()
    lost!.process.kill('SIGCONT')
    const count = counting()
    const back = performance.now()
    const ms = await until(
      'the node to answer',
      () =>
        link.run(count, [keyOf(0)], ['1']).then(
          () => true,
          () => false,
        ),
      10_000,
    )
    await sleep(1_000)
    seen.stop()
    console.log(
      maker.name,
      'back',
      ms,
      'last error after',
      Math.round(seen.lastError[0]! - back),
      [...seen.errors],
      seen.slowest.map(Math.round),
    )
    expect(seen.errors.get(1)).toBeUndefined()
    expect(seen.errors.get(2)).toBeUndefined()
  }, 60_000)

  it('comes back when the whole cluster does', async () => {
    const cluster = await start({})
    const user = made(maker, cluster.nodes[1]!.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    await link.run(count, [keyOf(0)], ['1'])
    for (const server of cluster.servers) server.process.kill('SIGSTOP')
    const results = await Promise.all(
      [0, 1, 2].map(master => link.run(count, [keyOf(master)], ['1']).catch((error: unknown) => error)),
    )
    console.log(maker.name, results.map(String))
    await sleep(3_000)
    for (const server of cluster.servers) server.process.kill('SIGCONT')
    const ms = await until(
      'all nodes to answer',
      async () => {
        const all = await Promise.all(
          [0, 1, 2].map(master =>
            link.run(count, [keyOf(master)], ['1']).then(
              () => true,
              () => false,
            ),
          ),
        )
        return all.every(Boolean)
      },
      10_000,
    )
    console.log(maker.name, 'whole back', ms)
  }, 60_000)

  it('follows slots that move, script and all', async () => {
    const cluster = await start({})
    const user = made(maker, cluster.nodes[1]!.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const key = keyOf(0)
    const slot = slotOf(key)
    const count = counting()
    expect(await link.run(count, [key], ['1'])).toEqual([1, '1'])
    const [from, to] = cluster.servers as [RunningServer, RunningServer]
    const ids = [await ask(from.port, 'CLUSTER MYID'), await ask(to.port, 'CLUSTER MYID')]
    await ask(to.port, `CLUSTER SETSLOT ${slot} IMPORTING ${ids[0]}`)
    await ask(from.port, `CLUSTER SETSLOT ${slot} MIGRATING ${ids[1]}`)
    // Not moved yet: the old node; a fresh key: ASK, and the new node does not know the script.
    expect(await link.run(count, [key], ['1'])).toEqual([2, '1'])
    expect(await link.run(count, [`${key}new`], ['1'])).toEqual([1, '1'])
    await ask(from.port, `MIGRATE 127.0.0.1 ${to.port} ${key} 0 5000`)
    expect(await link.run(count, [key], ['1'])).toEqual([3, '1'])
    // One here, one there: TRYAGAIN.
    await expect(link.run(count, [key, `${key}other`], ['1'])).rejects.toMatchObject({
      failure: 'unavailable',
    })
    for (const server of cluster.servers) await ask(server.port, `CLUSTER SETSLOT ${slot} NODE ${ids[1]}`)
    expect(await link.run(count, [key], ['1'])).toEqual([4, '1'])
    expect(await link.run(count, [`${key}new`], ['1'])).toEqual([2, '1'])
  }, 30_000)

  it('says that keys are of several slots', async () => {
    const user = made(maker, inject('clusterNodes')[0]!.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    await expect(link.run(counting(), ['{a}', '{b}'], ['1'])).rejects.toMatchObject({
      reply: 'CROSSSLOT',
      failure: 'misconfigured',
      code: 'HALT_E_STORE_CLUSTER',
    })
  })
})

describe.each(singles)('$name, a plain client on a cluster', maker => {
  it('says what the server says', async () => {
    const user = made(maker, inject('clusterNodes')[0]!.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    await expect(link.run(counting(), ['{a}', '{b}'], ['1'])).rejects.toMatchObject({
      reply: 'CROSSSLOT',
      failure: 'misconfigured',
    })
    await expect(link.run(counting(), [keyOf(2)], ['1'])).rejects.toMatchObject({
      reply: 'MOVED',
      failure: 'misconfigured',
    })
    expect(await link.run(counting(), [keyOf(0)], ['1'])).toEqual([1, '1'])
  })
})
