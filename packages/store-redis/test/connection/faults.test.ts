import { setTimeout as sleep } from 'node:timers/promises'

import { describe } from 'vitest'

import { ask } from '../../../../tools/servers.ts'
import { toStoreError } from '../../src/connection/index.ts'
import { singles } from './makers.ts'
import { startProxy } from './proxy.ts'
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
  Stopwatch,
  until,
  SOON_MS,
} from './scene.ts'

/** Calls every two milliseconds, as a busy app does; keeps what failed and how long the slowest took. */
function busy({ link }: Actor): { stop(): Promise<void>; failures: Set<string>; slowest: number } {
  const count = counting()
  const out = new Set<Promise<void>>()
  const timer = setInterval(() => {
    const start = performance.now()
    const call = link
      .run(count, [freshKey()], ['1'])
      .then(
        () => {},
        (error: unknown) => void state.failures.add(toStoreError(error).failure),
      )
      .finally(() => {
        state.slowest = Math.max(state.slowest, performance.now() - start)
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
    },
  }
  return state
}

describe.concurrent('an own connection', () => {
  it(
    'is back soon when its server is, and let nobody wait',
    { timeout: 20_000 },
    async ({ scene, expect }) => {
      const server = await scene.server()
      const actors = await scene.cast(singles, server.port)
      const apps = await each(actors, actor => busy(actor))
      await sleep(50)
      await server.stop()
      await Promise.all(actors.map(({ link }) => until('the loss to be noticed', () => !link.ready)))
      await sleep(1_500)
      await scene.server({ port: server.port })
      const back = await each(actors, ({ link }) => answers(link))
      await Promise.all(Object.values(apps).map(app => app.stop()))
      for (const { name } of actors) {
        expect(back[name], name).toBeLessThan(SOON_MS)
        expect([...apps[name]!.failures], name).toEqual(['unavailable'])
        expect(apps[name]!.slowest, name).toBeLessThan(SOON_MS)
      }
    },
  )

  it(
    'gives a server up that hangs, and is back when it goes on',
    { timeout: 20_000 },
    async ({ scene, expect }) => {
      const server = await scene.server()
      const actors = await scene.cast(singles, server.port)
      const count = counting()
      const keys = await each(actors, () => freshKey())
      await each(actors, ({ name, link }) => link.run(count, [keys[name]!], ['1']))
      server.process.kill('SIGSTOP')
      const watch = new Stopwatch()
      const late = await each(actors, ({ name, link }) => failure(link.run(count, [keys[name]!], ['1'])))
      const waited = watch.stop()
      expect(late).toMatchObject(all(actors, { failure: 'timeout', code: 'HALT_E_STORE_TIMEOUT' }))
      expect(waited).toBeGreaterThan(1_600)
      expect(waited).toBeLessThan(4_000)
      await sleep(2_500)
      server.process.kill('SIGCONT')
      const back = await each(actors, ({ link }) => answers(link))
      for (const { name } of actors) expect(back[name], name).toBeLessThan(SOON_MS)
      // What was written before was carried out when it went on: once, never again.
      const counted = await each(actors, async ({ name, link }) =>
        Number(await link.command(['GET', keys[name]!], keys[name])),
      )
      expect(counted).toEqual(all(actors, 2))
    },
  )

  it('outlasts a short stop', { timeout: 20_000 }, async ({ scene, expect }) => {
    const server = await scene.server()
    const actors = await scene.cast(singles, server.port)
    const ids = await each(actors, ({ link }) => link.command(['CLIENT', 'ID']))
    server.process.kill('SIGSTOP')
    const waiting = each(actors, ({ link }) => link.run(counting(), [freshKey()], ['1']))
    await sleep(1_000)
    server.process.kill('SIGCONT')
    expect(await waiting).toEqual(all(actors, [1, '1']))
    expect(await each(actors, ({ link }) => link.command(['CLIENT', 'ID']))).toEqual(ids)
  })

  it(
    'notices answers that are lost on the way, and counts them once',
    { timeout: 20_000 },
    async ({ scene, expect }) => {
      const server = await scene.server()
      const proxy = await startProxy(scene, server.port)
      const actors = await scene.cast(singles, proxy.port)
      const count = counting()
      const keys = await each(actors, () => freshKey())
      await each(actors, ({ name, link }) => link.run(count, [keys[name]!], ['1']))
      proxy.mute()
      const late = await each(actors, ({ name, link }) => failure(link.run(count, [keys[name]!], ['1'])))
      expect(late).toMatchObject(all(actors, { failure: 'timeout' }))
      const back = await each(actors, ({ link }) => answers(link))
      for (const { name } of actors) expect(back[name], name).toBeLessThan(SOON_MS)
      const counted = await each(actors, async ({ name, link }) =>
        Number(await link.command(['GET', keys[name]!], keys[name])),
      )
      expect(counted).toEqual(all(actors, 2))
    },
  )

  it(
    'does without its server at first, and joins it when it comes',
    { timeout: 20_000 },
    async ({ scene, expect }) => {
      const server = await scene.server()
      await server.stop()
      const links = singles.map(maker => {
        const user = scene.user(maker, server.port)
        user.connect().catch(() => {})
        return { name: maker.name, maker, user, link: scene.link(user.client) }
      })
      await Promise.all(links.map(({ link }) => link.opened))
      for (const { name, link } of links) {
        expect(link.ready, name).toBe(false)
        expect(await failure(link.run(counting(), [freshKey()], ['1'])), name).toMatchObject({
          failure: 'unavailable',
        })
      }
      await scene.server({ port: server.port })
      // A pool of the user's has to be there first.
      const joined = await each(
        links.filter(({ maker }) => maker.kind === 'single'),
        ({ link }) => answers(link),
      )
      for (const [name, ms] of Object.entries(joined)) expect(ms, name).toBeLessThan(SOON_MS)
      await each(links, ({ link }) => answers(link))
    },
  )

  it('does not need the user to connect', async ({ scene, expect }) => {
    const server = await scene.server()
    for (const maker of singles.filter(({ kind }) => kind === 'single')) {
      const link = scene.link(scene.user(maker, server.port).client)
      await link.opened
      expect(await link.run(counting(), [freshKey()], ['1']), maker.name).toEqual([1, '1'])
    }
  })

  it(
    'runs on over SCRIPT FLUSH, and counts each call once',
    { timeout: 20_000 },
    async ({ scene, expect }) => {
      const server = await scene.server()
      const actors = await scene.cast(singles, server.port)
      const count = counting()
      const keys = await each(actors, () => freshKey())
      for (let i = 0; i < 20; i++) {
        await ask(server.port, 'SCRIPT FLUSH')
        await each(actors, ({ name, link }) =>
          Promise.all([link.run(count, [keys[name]!], ['1']), link.run(count, [keys[name]!], ['1'])]),
        )
      }
      const counted = await each(actors, async ({ name, link }) =>
        Number(await link.command(['GET', keys[name]!], keys[name])),
      )
      expect(counted).toEqual(all(actors, 40))
    },
  )

  it('goes on when an ioredis client gives up', { timeout: 20_000 }, async ({ scene, expect }) => {
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
    for (const { name, link } of actors) expect(await answers(link), name).toBeLessThan(SOON_MS)
  })
})

describe('a shared connection', () => {
  it('is the client, and ready when that is', async ({ scene, expect }) => {
    const server = await scene.server()
    for (const maker of singles) {
      const proxy = await startProxy(scene, server.port)
      const user = scene.user(maker, proxy.port)
      const link = scene.link(user.client, { connection: 'shared' })
      expect(link.ready, maker.name).toBe(false)
      expect(await succeeds(link.run(counting(), [freshKey()], ['1'])), maker.name).toBe(false)
      await user.connect()
      expect(link.ready, maker.name).toBe(true)
      await link.run(counting(), [freshKey()], ['1'])
      // A pool may open another of its own.
      expect(proxy.open, maker.name).toBeLessThanOrEqual(maker.kind === 'pool' ? 2 : 1)
      await link.close()
      expect(proxy.open, maker.name).toBeGreaterThanOrEqual(1)
      expect(await succeeds(link.run(counting(), [freshKey()], ['1'])), maker.name).toBe(false)
    }
  })
})
