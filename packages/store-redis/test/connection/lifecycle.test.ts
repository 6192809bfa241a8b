import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, inject, it, onTestFinished } from 'vitest'

import { startRedis } from '../../../../tools/servers.ts'
import { answers, clusters, counting, freshKey, made, open, portOf, singles, until } from './clients.ts'
import { startProxy } from './proxy.ts'

const all = [
  ...singles.map(maker => ({ name: maker.name, maker, port: () => portOf(inject('redisUrl')) })),
  ...clusters.map(maker => ({
    name: `${maker.name} cluster`,
    maker,
    port: () => inject('clusterNodes')[0]!.port,
  })),
]

describe.each(all)('$name', ({ maker, port }) => {
  it('ends when the user closes the client, and comes back when it is opened again', async () => {
    const user = made(maker, port())
    await user.connect()
    const link = open(user.client)
    await link.opened
    expect(link.ready).toBe(true)
    await user.quit()
    await until('the link to end', () => !link.ready, 1_000)
    await expect(link.run(counting(), [freshKey()], ['1'])).rejects.toMatchObject({
      message: 'The Redis client was closed',
    })
    await sleep(600)
    expect(link.ready).toBe(false)
    await user.connect()
    await answers(link)
  })

  it('leaves the client as it was', async () => {
    const user = made(maker, port())
    await user.connect()
    const { client } = user
    const look = (): unknown => [
      Object.entries(client.options ?? client._options ?? {}).map(([name, value]) => [
        name,
        JSON.stringify(value) ?? String(value),
      ]),
      client
        .eventNames()
        .sort()
        .map((name: string) => [name, client.listenerCount(name)]),
      Object.keys(client).sort(),
      client.scriptsSet,
    ]
    const before = look()
    const link = open(client)
    await link.opened
    await link.run(counting(), [freshKey()], ['1'])
    expect(client.status ?? client.isOpen).toBe(client.status === undefined ? true : 'ready')
    await link.close()
    await sleep(20)
    expect(look()).toEqual(before)
    expect(link.ready).toBe(false)
    await expect(link.run(counting(), [freshKey()], ['1'])).rejects.toMatchObject({
      message: 'The store was closed',
    })
    await expect(link.command(['PING'])).rejects.toMatchObject({ message: 'The store was closed' })
  })

  it.each(['own', 'shared'] as const)('survives without an error listener: %s', async connection => {
    if (maker.name.startsWith('ioredis')) return
    const user = maker.make(port())
    onTestFinished(() => user.kill())
    user.client.removeAllListeners('error')
    const warnings: string[] = []
    const link = open(user.client, { connection, warn: ({ code }) => warnings.push(code) })
    user.client.emit('error', new Error('lost'))
    expect(warnings).toEqual(['HALT_W_REDIS_ERROR_LISTENER'])
    await link.close()
    expect(user.client.listenerCount('error')).toBe(0)
  })
})

describe.each(singles)('$name', maker => {
  it.each(['close()', "the client's end"])(
    'leaves no connection behind, whenever it ends: %s',
    async how => {
      const server = await startRedis()
      onTestFinished(() => server.stop())
      const proxy = await startProxy(server.port)
      for (let wait = 0; wait < 12; wait++) {
        const user = made(maker, proxy.port)
        await user.connect()
        const others = proxy.open
        const link = open(user.client)
        if (wait > 0) await sleep(wait - 1)
        if (how === 'close()') await link.close()
        else await user.quit()
        await until('its connection to be gone', () => proxy.open <= (how === 'close()' ? others : 0), 1_500)
        await sleep(30)
        expect(proxy.open).toBe(how === 'close()' ? others : 0)
        user.kill()
        await until('all to be gone', () => proxy.open === 0, 1_000)
      }
    },
    15_000,
  )

  it('notices answers that are lost, and connects anew', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const proxy = await startProxy(server.port)
    const user = made(maker, proxy.port)
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    const key = freshKey()
    await link.run(count, [key], ['1'])
    proxy.mute()
    const start = performance.now()
    const error = await link.run(count, [key], ['1']).catch((e: unknown) => e)
    const noticed = performance.now() - start
    const back = await answers(link)
    console.log(maker.name, noticed, back, String(error))
    expect(error).toMatchObject({ failure: 'timeout', code: 'HALT_E_STORE_TIMEOUT' })
    expect(noticed).toBeGreaterThan(1_700)
    expect(noticed).toBeLessThan(2_600)
    expect(back).toBeLessThan(600)
    // The lost answer was counted once, and never repeated.
    expect(Number(await link.command(['GET', key], key))).toBe(2)
  })

  it('uses the client itself when shared', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const proxy = await startProxy(server.port)
    const user = made(maker, proxy.port)
    const link = open(user.client, { connection: 'shared' })
    expect(link.ready).toBe(false)
    await expect(link.run(counting(), [freshKey()], ['1'])).rejects.toMatchObject({ failure: 'unavailable' })
    await user.connect()
    expect(link.ready).toBe(true)
    await link.run(counting(), [freshKey()], ['1'])
    // A pool may open another of its own.
    const most = maker.name.includes('pool') ? 2 : 1
    expect(proxy.open).toBeLessThanOrEqual(most)
    await link.close()
    expect(proxy.open).toBeGreaterThanOrEqual(1)
  })
})
