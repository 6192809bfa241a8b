import { setTimeout as sleep } from 'node:timers/promises'

import { describe } from 'vitest'

import { ask } from '../../../../../tools/servers.ts'
import { Stopwatch } from '../../../../../tools/stopwatch.ts'
import { toStoreError } from '../../../src/connection/index.ts'
import { singles } from '../../connection/makers.ts'
import { startProxy } from '../../connection/proxy.ts'
import {
  type Actor,
  all,
  answers,
  counting,
  each,
  failure,
  freshKey,
  it,
  succeeds,
  until,
  SOON_MS,
} from '../../connection/scene.ts'

/** Calls every two milliseconds, as a busy app does. Keeps the failures and the time of the slowest call. */
function busy({ connection }: Actor): { stop(): Promise<void>; failures: Set<string>; slowest: number } {
  const count = counting()
  const watch = new Stopwatch()
  const out = new Set<Promise<void>>()
  const timer = setInterval(() => {
    const start = watch.ms
    const call = connection
      .run(count, [freshKey()], ['1'])
      .then(
        () => {},
        (error: unknown) => void state.failures.add(toStoreError(error).failure),
      )
      .finally(() => {
        state.slowest = Math.max(state.slowest, watch.ms - start)
        out.delete(call)
      })
    out.add(call)
  }, 2)
  const state = {
    failures: new Set<string>(),
    slowest: 0,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(out)
      watch.stop()
    },
  }
  return state
}

describe.concurrent('an own connection', () => {
  it('an own connection opens soon after its server is back, and lets no call wait meanwhile', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    const actors = await scene.cast(singles, server.port)
    const apps = await each(actors, actor => busy(actor))
    await sleep(50)
    await server.stop()
    await Promise.all(
      actors.map(({ connection }) => until('the loss to be noticed', () => !connection.ready)),
    )
    await sleep(1_500)
    await scene.server({ port: server.port })
    const back = await each(actors, ({ connection }) => answers(connection))
    await Promise.all(Object.values(apps).map(app => app.stop()))
    for (const { name } of actors) {
      expect(back[name], name).toBeLessThan(SOON_MS)
      expect([...apps[name]!.failures], name).toEqual(['unavailable'])
      expect(apps[name]!.slowest, name).toBeLessThan(SOON_MS)
    }
  })

  it('an own connection gives up a server that hangs, and opens when it goes on', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    const actors = await scene.cast(singles, server.port)
    const count = counting()
    const keys = await each(actors, () => freshKey())
    await each(actors, ({ name, connection }) => connection.run(count, [keys[name]!], ['1']))
    server.process.kill('SIGSTOP')
    const start = performance.now()
    const watch = new Stopwatch()
    const late = await each(actors, ({ name, connection }) =>
      failure(connection.run(count, [keys[name]!], ['1'])),
    )
    const waited = { free: watch.stop(), real: performance.now() - start }
    expect(late).toMatchObject(all(actors, { failure: 'timeout', code: 'HALT_E_STORE_TIMEOUT' }))
    expect(waited.real).toBeGreaterThan(1_600)
    expect(waited.free).toBeLessThan(4_000)
    await sleep(2_500)
    server.process.kill('SIGCONT')
    const back = await each(actors, ({ connection }) => answers(connection))
    for (const { name } of actors) expect(back[name], name).toBeLessThan(SOON_MS)
    // The server executed the written call once when it went on, and never again.
    const counted = await each(actors, async ({ name, connection }) =>
      Number(await connection.command(['GET', keys[name]!], keys[name])),
    )
    expect(counted).toEqual(all(actors, 2))
  })

  it('an own connection survives a short stop of the server', async ({ scene, expect }) => {
    const server = await scene.server()
    const actors = await scene.cast(singles, server.port)
    const ids = await each(actors, ({ connection }) => connection.command(['CLIENT', 'ID']))
    server.process.kill('SIGSTOP')
    const waiting = each(actors, ({ connection }) => connection.run(counting(), [freshKey()], ['1']))
    await sleep(1_000)
    server.process.kill('SIGCONT')
    expect(await waiting).toEqual(all(actors, [1, '1']))
    expect(await each(actors, ({ connection }) => connection.command(['CLIENT', 'ID']))).toEqual(ids)
  })

  it('an own connection notices lost replies, and counts each call once', async ({ scene, expect }) => {
    const server = await scene.server()
    const proxy = await startProxy(scene, server.port)
    const actors = await scene.cast(singles, proxy.port)
    const count = counting()
    const keys = await each(actors, () => freshKey())
    await each(actors, ({ name, connection }) => connection.run(count, [keys[name]!], ['1']))
    proxy.mute()
    const late = await each(actors, ({ name, connection }) =>
      failure(connection.run(count, [keys[name]!], ['1'])),
    )
    expect(late).toMatchObject(all(actors, { failure: 'timeout' }))
    const back = await each(actors, ({ connection }) => answers(connection))
    for (const { name } of actors) expect(back[name], name).toBeLessThan(SOON_MS)
    const counted = await each(actors, async ({ name, connection }) =>
      Number(await connection.command(['GET', keys[name]!], keys[name])),
    )
    expect(counted).toEqual(all(actors, 2))
  })

  it('an own connection starts without its server, and opens when it comes', async ({ scene, expect }) => {
    const server = await scene.server()
    await server.stop()
    const ownConnections = singles.map(maker => {
      const user = scene.user(maker, server.port)
      user.connect().catch(() => {})
      return { name: maker.name, maker, user, connection: scene.connection(user.client) }
    })
    await Promise.all(ownConnections.map(({ connection }) => connection.opened))
    for (const { name, connection } of ownConnections) {
      expect(connection.ready, name).toBe(false)
      expect(await failure(connection.run(counting(), [freshKey()], ['1'])), name).toMatchObject({
        failure: 'unavailable',
      })
    }
    await scene.server({ port: server.port })
    // The user's pool has to connect first.
    const joined = await each(
      ownConnections.filter(({ maker }) => maker.kind === 'single'),
      ({ connection }) => answers(connection),
    )
    for (const [name, ms] of Object.entries(joined)) expect(ms, name).toBeLessThan(SOON_MS)
    await each(ownConnections, ({ connection }) => answers(connection))
  })

  it('an own connection opens although the user never connects the client', async ({ scene, expect }) => {
    const server = await scene.server()
    for (const maker of singles.filter(({ kind }) => kind === 'single')) {
      const connection = scene.connection(scene.user(maker, server.port).client)
      await connection.opened
      expect(await connection.run(counting(), [freshKey()], ['1']), maker.name).toEqual([1, '1'])
    }
  })

  it('an own connection survives SCRIPT FLUSH, and counts each call once', async ({ scene, expect }) => {
    const server = await scene.server()
    const actors = await scene.cast(singles, server.port)
    const count = counting()
    const keys = await each(actors, () => freshKey())
    for (let i = 0; i < 20; i++) {
      await ask(server.port, 'SCRIPT FLUSH')
      await each(actors, ({ name, connection }) =>
        Promise.all([
          connection.run(count, [keys[name]!], ['1']),
          connection.run(count, [keys[name]!], ['1']),
        ]),
      )
    }
    const counted = await each(actors, async ({ name, connection }) =>
      Number(await connection.command(['GET', keys[name]!], keys[name])),
    )
    expect(counted).toEqual(all(actors, 40))
  })

  it('an own connection stays open when an ioredis client gives up', async ({ scene, expect }) => {
    const server = await scene.server()
    const actors = await scene.cast(
      singles.filter(({ library }) => library === 'ioredis'),
      server.port,
    )
    for (const { user } of actors)
      user.client.options.retryStrategy = (times: number) => (times > 1 ? null : 10)
    await server.stop()
    for (const { user } of actors) await until('the client to give up', () => user.client.status === 'end')
    await scene.server({ port: server.port })
    for (const { name, connection } of actors) expect(await answers(connection), name).toBeLessThan(SOON_MS)
  })
})

describe('a shared connection', () => {
  it('a shared connection is the client itself, and is ready when the client is', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    for (const maker of singles) {
      const proxy = await startProxy(scene, server.port)
      const user = scene.user(maker, proxy.port)
      const connection = scene.connection(user.client, { connection: 'shared' })
      expect(connection.ready, maker.name).toBe(false)
      expect(await succeeds(connection.run(counting(), [freshKey()], ['1'])), maker.name).toBe(false)
      await user.connect()
      expect(connection.ready, maker.name).toBe(true)
      await connection.run(counting(), [freshKey()], ['1'])
      // A pool may open one more connection of its own.
      expect(proxy.open, maker.name).toBeLessThanOrEqual(maker.kind === 'pool' ? 2 : 1)
      await connection.close()
      expect(proxy.open, maker.name).toBeGreaterThanOrEqual(1)
      expect(await succeeds(connection.run(counting(), [freshKey()], ['1'])), maker.name).toBe(false)
    }
  })
})
