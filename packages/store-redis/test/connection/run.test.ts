import { describe, expect, inject, it } from 'vitest'

import { clusters, counting, freshKey, made, open, portOf, script, singles } from './clients.ts'

const servers = [
  { server: 'Redis', port: () => portOf(inject('redisUrl')) },
  { server: 'Valkey', port: () => portOf(inject('valkeyUrl')) },
]
const cluster = { server: 'a cluster', port: () => inject('clusterNodes')[0]!.port }

const cases = [
  ...singles.flatMap(maker => servers.map(server => ({ ...server, maker, topology: 'single' }))),
  ...clusters.map(maker => ({ ...cluster, maker, topology: 'cluster' })),
].map(entry => ({ ...entry, name: entry.maker.name }))

describe.each(cases)('$name on $server', ({ maker, port, topology }) => {
  it.each(['own', 'shared'] as const)(
    'runs scripts and commands over its %s connection',
    async connection => {
      const user = made(maker, port())
      await user.connect()
      const link = open(user.client, { connection })
      await link.opened
      expect(link.ready).toBe(true)
      expect(link.topology).toBe(topology)

      const count = counting()
      const key = freshKey()
      // The server does not know it: EVAL. Then it does: EVALSHA.
      expect(await link.run(count, [key], ['2'])).toEqual([2, '1'])
      expect(await link.run(count, [key], ['3'])).toEqual([5, '1'])
      expect(await link.run(count, [key, `${key}2`], ['1'])).toEqual([6, '2'])

      expect(await link.command(['GET', key], key)).toBe('6')
      expect(await link.command(['DEL', key], key)).toBe(1)
      expect(await link.command(['PING'])).toBe('PONG')
      expect(await link.command(['PING'], key)).toBe('PONG')
      expect(await link.command(['INFO', 'memory'], key)).toContain('maxmemory_policy')
      expect(await link.command(['INFO', 'memory'])).toContain('maxmemory_policy')
    },
  )

  it('puts the key prefix of the client before keys', async () => {
    if (!maker.prefixes) return
    const user = made(maker, port(), { keyPrefix: 'mine:' })
    await user.connect()
    const plain = made(maker, port())
    await plain.connect()
    for (const connection of ['own', 'shared'] as const) {
      const link = open(user.client, { connection })
      await link.opened
      const key = freshKey()
      const where = script('return KEYS[1]')
      expect(await link.run(where, [key], [])).toBe(`mine:${key}`)
      await link.run(counting(), [key], ['7'])
      const other = open(plain.client)
      await other.opened
      expect(await other.command(['GET', `mine:${key}`], `mine:${key}`)).toBe('7')
      expect(await link.command(['DEL', key], key)).toBe(1)
    }
  })

  it('sends to every slot', async () => {
    const user = made(maker, port())
    await user.connect()
    const link = open(user.client)
    await link.opened
    const count = counting()
    const replies = await Promise.all(Array.from({ length: 200 }, () => link.run(count, [freshKey()], ['1'])))
    expect(replies).toEqual(replies.map(() => [1, '1']))
  })
})
