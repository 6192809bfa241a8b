import { setTimeout as sleep } from 'node:timers/promises'

import { describe, inject } from 'vitest'

import { isFull } from '../../../../../tools/full.ts'
import { ask, type RunningServer } from '../../../../../tools/servers.ts'
import { clusters, singles, usual } from '../../connection/makers.ts'
import { startProxy } from '../../connection/proxy.ts'
import { answers, counting, failure, freshKey, it, portOf, until } from '../../connection/scene.ts'

const cases = [
  ...singles.map(maker => ({ name: maker.name, maker, port: () => portOf(inject('redisUrl')) })),
  ...clusters.map(maker => ({ name: maker.name, maker, port: () => inject('clusterNodes')[0]!.port })),
]

/** The moments at which a connection is closed, in milliseconds. Undefined is at once. */
const WAITS = isFull ? [undefined, 0, 1, 2, 3, 5, 8] : [undefined, 1, 5]
const CLUSTER_WAITS = isFull ? [undefined, 0, 1, 3, 5, 10, 20, 40] : [undefined, 1, 5, 20]

describe.concurrent.each(cases)('a connection of $name', ({ maker, port }) => {
  it('a connection ends when the user closes the client, and opens when the client is opened again', async ({
    scene,
    expect,
  }) => {
    const user = scene.user(maker, port())
    await user.connect()
    const connection = scene.connection(user.client)
    await until('a connection', () => connection.ready)
    await user.quit()
    await until('it to end', () => !connection.ready)
    const error = await failure(connection.run(counting(), [freshKey()], ['1']))
    expect(error).toMatchObject({ message: 'The Redis client was closed', failure: 'unavailable' })
    await sleep(700)
    expect(connection.ready).toBe(false)
    await user.connect()
    await answers(connection)
  })

  it('a connection changes nothing of the client', async ({ scene, expect }) => {
    const user = scene.user(maker, port())
    await user.connect()
    const { client } = user
    const look = (): unknown => [
      Object.entries(client.options ?? client._options ?? {}).map(([name, value]) => [
        name,
        JSON.stringify(value),
      ]),
      client.eventNames().map((event: string) => [event, client.listenerCount(event)]),
      Object.keys(client),
      client.scriptsSet,
      client.status ?? client.isOpen,
    ]
    const before = look()
    const connection = scene.connection(client)
    await until('a connection', () => connection.ready)
    await connection.run(counting(), [freshKey()], ['1'])
    await connection.close()
    expect(connection.ready).toBe(false)
    const closed = { message: 'The store was closed', failure: 'unavailable' }
    expect(await failure(connection.run(counting(), [freshKey()], ['1']))).toMatchObject(closed)
    expect(await failure(connection.command(['PING']))).toMatchObject(closed)
    expect(look()).toEqual(before)
  })

  // An ioredis client without a listener does not end the process.
  if (maker.library === 'ioredis') return
  for (const mode of ['own', 'shared'] as const) {
    it(`a connection keeps the process alive when the client has no error listener: ${mode}`, async ({
      scene,
      expect,
    }) => {
      const user = scene.user(maker, port())
      user.client.removeAllListeners('error')
      const warnings: string[] = []
      const ownConnections = [1, 2].map(() =>
        scene.connection(user.client, { connection: mode, warn: ({ code }) => warnings.push(code) }),
      )
      user.client.emit('error', new Error('lost'))
      expect(warnings).toEqual(ownConnections.map(() => 'HALT_W_REDIS_ERROR_LISTENER'))
      for (const connection of ownConnections) await connection.close()
      expect(user.client.listenerCount('error')).toBe(0)
    })
  }
})

describe.concurrent.each(singles)('a connection of $name', maker => {
  for (const how of ['is closed', 'loses its client']) {
    it(`a connection leaves none open at the server, whenever it ${how}`, async ({ scene, expect }) => {
      const proxy = await startProxy(scene, portOf(inject('redisUrl')))
      for (const wait of ['until it is open', ...WAITS] as const) {
        const user = scene.user(maker, proxy.port)
        await user.connect()
        const before = proxy.open
        const left = how === 'is closed' ? before : 0
        const connection = scene.connection(user.client)
        if (wait === 'until it is open') {
          await until('a connection', () => connection.ready)
          expect(proxy.open).toBe(before + 1)
        } else if (wait !== undefined) await sleep(wait)
        await (how === 'is closed' ? connection.close() : user.quit())
        // A connection that was being opened still comes, and is ended.
        await sleep(30)
        await until('its connection to be gone', () => proxy.open <= left)
        user.kill()
        await until('all to be gone', () => proxy.open === 0)
      }
    })
  }
})

it('a closed connection makes no more attempts', async ({ scene, expect }) => {
  const server = await scene.server()
  await server.stop()
  const ownConnections = singles.map(maker => scene.connection(scene.user(maker, server.port).client))
  await Promise.all(ownConnections.map(connection => connection.opened))
  // Some are waiting for the next attempt now.
  await sleep(60)
  for (const connection of ownConnections) await connection.close()
  const again = await scene.server({ port: server.port })
  await sleep(800)
  expect(await connections([again])).toBe(0)
  for (const connection of ownConnections) expect(connection.ready).toBe(false)
})

it('close() leaves no connection to a cluster open, whenever it is called', async ({ scene }) => {
  const { servers, nodes } = await scene.cluster()
  for (const maker of clusters) {
    for (const wait of CLUSTER_WAITS) {
      const connection = scene.connection(scene.user(maker, nodes[0]!.port).client)
      if (wait !== undefined) await sleep(wait)
      await connection.close()
      await sleep(30)
      await until('all to be gone', async () => (await connections(servers)) === 0)
    }
  }
})

/** The number of connections to some servers, without the one that asks. */
async function connections(servers: readonly RunningServer[]): Promise<number> {
  const texts = await Promise.all(servers.map(({ port }) => ask(port, 'INFO clients')))
  return texts.reduce((sum, text) => sum + Number(/^connected_clients:(\d+)/m.exec(text)?.[1]) - 1, 0)
}

it('a client with many stores has few listeners, so that Node does not warn', async ({ scene, expect }) => {
  const warnings: string[] = []
  const listener = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', listener)
  scene.defer(() => process.off('warning', listener))
  const makers = usual(cases.map(({ maker }) => maker))
  for (const { maker, port } of cases.filter(each => makers.includes(each.maker))) {
    const user = scene.user(maker, port())
    for (let i = 0; i < 12; i++) scene.connection(user.client)
  }
  await sleep(100)
  expect(warnings).toEqual([])
})
