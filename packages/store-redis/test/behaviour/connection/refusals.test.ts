import { inspect } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'

import { Redis } from 'ioredis'
import { inject } from 'vitest'

import { ask } from '../../../../../tools/servers.ts'
import { clusters, singles } from '../../connection/makers.ts'
import {
  all,
  answers,
  counting,
  each,
  failure,
  freshKey,
  it,
  script,
  until,
  SOON_MS,
} from '../../connection/scene.ts'

const clients = singles.filter(({ kind }) => kind === 'single')

it('the store logs in with the credentials of the client', async ({ scene, expect }) => {
  const server = await scene.server({ args: ['--requirepass', 'secret'] })
  const actors = await scene.cast(singles, server.port, { password: 'secret' })
  const replies = await each(actors, ({ connection }) => connection.run(counting(), [freshKey()], ['1']))
  expect(replies).toEqual(all(actors, [1, '1']))
})

for (const wish of [{}, { password: 'hunter2' }]) {
  it(`the error of a refused login shows no credentials: ${inspect(wish)}`, async ({ scene, expect }) => {
    const server = await scene.server({ args: ['--requirepass', 'secret'] })
    const actors = await Promise.all(
      clients.map(async maker => {
        const user = scene.user(maker, server.port, wish)
        const connection = scene.connection(user.client)
        await connection.opened
        return { name: maker.name, maker, user, connection }
      }),
    )
    await sleep(100)
    for (const { name, connection } of actors) {
      const error = await failure(connection.run(counting(), [freshKey()], ['1']))
      expect(error, name).toMatchObject({ failure: 'misconfigured', code: 'HALT_E_STORE_AUTH' })
      expect(inspect(error, { depth: 9, showHidden: true }), name).not.toContain('hunter2')
    }
    // The store makes few attempts.
    const redis = new Redis({ port: server.port, password: 'secret' })
    scene.defer(() => redis.disconnect())
    const connections = async (): Promise<number> =>
      Number(/total_connections_received:(\d+)/.exec(await redis.info('stats'))?.[1])
    const before = await connections()
    await sleep(1_000)
    expect((await connections()) - before).toBeLessThanOrEqual(actors.length)
  })
}

it('the error names the missing permission, and calls work once it is granted', async ({ scene, expect }) => {
  const server = await scene.server()
  await ask(server.port, 'ACL SETUSER app on >pw ~{*}:k +@connection')
  const actors = await scene.cast(clients, server.port, { username: 'app', password: 'pw' })
  const count = counting()
  const refused = { failure: 'misconfigured', code: 'HALT_E_STORE_PERMISSION' }
  const run = (key: string): Promise<Record<string, unknown>> =>
    each(actors, ({ connection }) => connection.run(count, [key], ['0']).catch((error: unknown) => error))
  expect(await run(freshKey())).toMatchObject(all(actors, refused))
  await ask(server.port, 'ACL SETUSER app +evalsha +eval')
  // The server refuses a command inside the script.
  expect(await run(freshKey())).toMatchObject(all(actors, refused))
  await ask(server.port, 'ACL SETUSER app +incrby')
  expect(await run(freshKey())).toEqual(all(actors, [0, '1']))
  expect(await run('foreign')).toMatchObject(all(actors, refused))
})

it('errors of the server, the keys and the script have different codes', async ({ scene, expect }) => {
  const server = await scene.server()
  const actors = await scene.cast(clients, server.port)
  const key = freshKey()
  await ask(server.port, `SADD ${key} x`)
  const run = (source: string): Promise<Record<string, unknown>> =>
    each(actors, ({ connection }) => failure(connection.run(script(source), [key], [])))
  const broken = { failure: 'script', code: 'HALT_E_STORE_SCRIPT', reply: 'ERR' }
  expect(await run('return redis.call("NOSUCH")')).toMatchObject(all(actors, broken))
  expect(await run('error("x")')).toMatchObject(all(actors, broken))
  expect(await run('this is no Lua')).toMatchObject(all(actors, broken))
  const forbidden = { failure: 'misconfigured', reply: 'ERR' }
  expect(await run('return redis.call("SUBSCRIBE", "x")')).toMatchObject(all(actors, forbidden))
  const foreign = { failure: 'misconfigured', reply: 'WRONGTYPE' }
  expect(await run('return redis.call("INCR", KEYS[1])')).toMatchObject(all(actors, foreign))
  await ask(server.port, 'CONFIG SET maxmemory 1')
  const full = { failure: 'full', code: 'HALT_E_STORE_OOM', reply: 'OOM' }
  expect(await run('return redis.call("SET", KEYS[1], 1)')).toMatchObject(all(actors, full))
  for (const { connection } of actors) expect(connection.ready).toBe(true)
})

it('the store connects again to find the master when it meets a replica', async ({ scene, expect }) => {
  const server = await scene.server()
  const actors = await scene.cast(clients, server.port)
  const id = ({ connection }: (typeof actors)[number]): Promise<unknown> =>
    connection.command(['CLIENT', 'ID'])
  const before = await each(actors, id)
  await ask(server.port, 'REPLICAOF 127.0.0.1 1')
  const met = { failure: 'unavailable', code: 'HALT_E_STORE_READONLY', reply: 'READONLY' }
  const count = counting()
  expect(
    await each(actors, ({ connection }) => failure(connection.run(count, [freshKey()], ['1']))),
  ).toMatchObject(all(actors, met))
  await Promise.all(actors.map(({ connection }) => until('it to connect anew', () => connection.ready)))
  await ask(server.port, 'REPLICAOF NO ONE')
  for (const { name, connection } of actors) expect(await answers(connection), name).toBeLessThan(SOON_MS)
  for (const [name, after] of Object.entries(await each(actors, id)))
    expect(after, name).not.toEqual(before[name])
})

it('a plain client on a cluster, and keys of several slots, fail with HALT_E_STORE_CLUSTER', async ({
  scene,
  expect,
}) => {
  const { port } = inject('clusterNodes')[0]!
  const plain = await scene.cast(singles, port)
  const actors = [...plain, ...(await scene.cast(clusters, port))]
  const crossing = { failure: 'misconfigured', code: 'HALT_E_STORE_CLUSTER', reply: 'CROSSSLOT' }
  const keys = ['{a}', '{b}']
  expect(
    await each(actors, ({ connection }) => failure(connection.run(counting(), keys, ['1']))),
  ).toMatchObject(all(actors, crossing))
  const moved = { failure: 'misconfigured', code: 'HALT_E_STORE_CLUSTER', reply: 'MOVED' }
  expect(
    await each(plain, ({ connection }) => failure(connection.run(counting(), [freshKey(2)], ['1']))),
  ).toMatchObject(all(plain, moved))
})
