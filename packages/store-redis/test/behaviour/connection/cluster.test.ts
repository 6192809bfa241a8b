import { setTimeout as sleep } from 'node:timers/promises'

import { describe, type ExpectStatic } from 'vitest'

import { isFull } from '../../../../../tools/full.ts'
import { ask, type RunningServer } from '../../../../../tools/servers.ts'
import { slotOf } from '../../../src/keys.ts'
import { clusters } from '../../connection/makers.ts'
import {
  type Actor,
  all,
  answers,
  counting,
  each,
  failure,
  freshKey,
  it,
  type Scene,
  succeeds,
  until,
  SOON_MS,
} from '../../connection/scene.ts'

/** In the short form a master that hangs is one that is away for a while, and the master that Sentinel watches. */
const SIGNALS = isFull ? (['SIGKILL', 'SIGSTOP'] as const) : (['SIGKILL'] as const)

/** Calls the slots of each of three masters all the time. Keeps the masters that failed. */
function watch(scene: Scene, { connection }: Actor): Set<number> {
  const count = counting()
  const failures = new Set<number>()
  const timer = setInterval(() => {
    for (const master of [0, 1, 2]) {
      connection.run(count, [freshKey(master)], ['1']).catch(() => void failures.add(master))
    }
  }, 10)
  scene.defer(() => clearInterval(timer))
  return failures
}

/** Expects that the masters beside the first are served. On a busy machine one of the many calls of a watch may be late. */
async function expectOthers(actors: readonly Actor[], expect: ExpectStatic): Promise<void> {
  for (const master of [1, 2]) {
    const others = await each(actors, ({ connection }) => answers(connection, master))
    for (const { name } of actors) expect(others[name], name).toBeLessThan(SOON_MS)
  }
}

describe.concurrent('an own connection to a cluster', () => {
  for (const signal of SIGNALS) {
    it(`an own connection follows a failover, and serves the other masters meanwhile: ${signal}`, async ({
      scene,
      expect,
    }) => {
      const args = ['--cluster-require-full-coverage', 'no']
      const cluster = await scene.cluster({ replicas: 1, args })
      const actors = await scene.cast(clusters, cluster.nodes[1]!.port)
      const failures = await each(actors, actor => watch(scene, actor))
      const [master, , , replica] = cluster.servers as [RunningServer, unknown, unknown, RunningServer]
      master.process.kill(signal)
      for (const { name } of actors) await until(`${name} to miss the master`, () => failures[name]!.has(0))
      await expectOthers(actors, expect)
      // Told to, because masters with a timeout so short that they elect a replica soon take each other for failed on a busy machine.
      await ask(replica.port, 'CLUSTER FAILOVER TAKEOVER')
      const role = (): Promise<string> => ask(replica.port, 'INFO replication').catch(() => '')
      await until('a failover', async () => (await role()).includes('role:master'))
      const found = await each(actors, ({ connection }) => answers(connection, 0))
      for (const { name } of actors) expect(found[name], name).toBeLessThan(2 * SOON_MS)
    })
  }

  it('an own connection serves the other masters while one is down, and that one when it is back', async ({
    scene,
    expect,
  }) => {
    const cluster = await scene.cluster({ nodeTimeout: 30_000 })
    const actors = await scene.cast(clusters, cluster.nodes[1]!.port)
    const failures = await each(actors, actor => watch(scene, actor))
    const [lost] = cluster.servers as [RunningServer]
    lost.process.kill('SIGSTOP')
    for (const { name } of actors)
      await until(`${name} to miss the one that is away`, () => failures[name]!.has(0))
    for (const { name, connection } of actors) expect(connection.ready, name).toBe(true)
    await expectOthers(actors, expect)
    lost.process.kill('SIGCONT')
    const back = await each(actors, ({ connection }) => answers(connection, 0))
    for (const { name } of actors) expect(back[name], name).toBeLessThan(SOON_MS)
  })

  it('an own connection opens again when the whole cluster is back', async ({ scene, expect }) => {
    // The node timeout is so long that the nodes, which all sleep, do not declare each other failed.
    const cluster = await scene.cluster({ nodeTimeout: 60_000 })
    const actors = await scene.cast(clusters, cluster.nodes[1]!.port)
    const count = counting()
    for (const server of cluster.servers) server.process.kill('SIGSTOP')
    const late = await each(actors, ({ connection }) => failure(connection.run(count, [freshKey()], ['1'])))
    const lost = { failure: expect.stringMatching(/timeout|unavailable/) }
    expect(late).toMatchObject(all(actors, lost))
    await sleep(2_000)
    for (const server of cluster.servers) server.process.kill('SIGCONT')
    for (const master of [0, 1, 2]) {
      const back = await each(actors, ({ connection }) => answers(connection, master))
      for (const { name } of actors) expect(back[name], name).toBeLessThan(SOON_MS)
    }
  })

  it('an own connection follows slots that move to a node without the script', async ({ scene, expect }) => {
    const cluster = await scene.cluster()
    const [from, to] = cluster.servers as [RunningServer, RunningServer]
    const ids = [await ask(from.port, 'CLUSTER MYID'), await ask(to.port, 'CLUSTER MYID')]
    for (const actor of await scene.cast(clusters, cluster.nodes[1]!.port)) {
      const { name, connection } = actor
      const key = freshKey(0)
      const slot = slotOf(key)
      const count = counting()
      expect(await connection.run(count, [key], ['1']), name).toEqual([1, '1'])
      await ask(to.port, `CLUSTER SETSLOT ${slot} IMPORTING ${ids[0]}`)
      await ask(from.port, `CLUSTER SETSLOT ${slot} MIGRATING ${ids[1]}`)
      // Keys that have moved are reached by ASK at the new node, which does not know the script.
      expect(await connection.run(count, [key], ['1']), name).toEqual([2, '1'])
      expect(await connection.run(count, [`${key}new`], ['1']), name).toEqual([1, '1'])
      await ask(from.port, `MIGRATE 127.0.0.1 ${to.port} ${key} 0 5000`)
      expect(await connection.run(count, [key], ['1']), name).toEqual([3, '1'])
      // One key on the old node, one on the new.
      const torn = failure(connection.run(count, [key, `${key}other`], ['1']))
      expect(await torn, name).toMatchObject({ failure: 'unavailable' })
      for (const server of cluster.servers) await ask(server.port, `CLUSTER SETSLOT ${slot} NODE ${ids[1]}`)
      expect(await connection.run(count, [key], ['1']), name).toEqual([4, '1'])
      expect(await connection.run(count, [`${key}new`], ['1']), name).toEqual([2, '1'])
    }
  })

  for (const signal of SIGNALS) {
    it(`an own connection opens to the nodes that a cluster has at the start: ${signal}`, async ({
      scene,
      expect,
    }) => {
      const args = ['--cluster-require-full-coverage', 'no']
      const cluster = await scene.cluster({ nodeTimeout: 30_000, args })
      cluster.servers[0]!.process.kill(signal)
      const actors = clusters.map(maker => {
        const user = scene.user(maker, cluster.nodes[1]!.port)
        return { name: maker.name, maker, user, connection: scene.connection(user.client) }
      })
      for (const { name, connection } of actors) {
        expect(await answers(connection, 1), name).toBeLessThan(2 * SOON_MS)
        expect(await succeeds(connection.run(counting(), [freshKey(0)], ['1'])), name).toBe(false)
        expect(await answers(connection, 2), name).toBeLessThan(SOON_MS)
      }
    })
  }
})
