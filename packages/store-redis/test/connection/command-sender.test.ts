import { describe, inject } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { clusters, singles, usual } from './makers.ts'
import { counting, freshKey, it, portOf, script } from './scene.ts'

/** In the short form the new versions of the libraries meet Valkey, and the old ones Redis. */
const onRedis = isFull ? singles : singles.filter(maker => !usual(singles).includes(maker))
const cases = [
  ...onRedis.map(maker => ({ maker, server: 'Redis', port: () => portOf(inject('redisUrl')) })),
  ...usual(singles).map(maker => ({ maker, server: 'Valkey', port: () => portOf(inject('valkeyUrl')) })),
  ...clusters.map(maker => ({ maker, server: 'Redis', port: () => inject('clusterNodes')[0]!.port })),
].map(entry => ({ ...entry, name: `${entry.maker.name} on ${entry.server}` }))

describe.each(cases)('$name', ({ maker, port }) => {
  for (const mode of ['own', 'shared'] as const) {
    it(`a client runs scripts and commands over a connection: ${mode}`, async ({ scene, expect }) => {
      const user = scene.user(maker, port())
      await user.connect()
      const connection = scene.connection(user.client, { connection: mode })
      await connection.opened
      expect(connection.ready).toBe(true)
      expect(connection.topology).toBe(maker.kind === 'cluster' ? 'cluster' : 'single')

      const count = counting()
      const key = freshKey()
      // The server knows the script from the second call on.
      expect(await connection.run(count, [key], ['2'])).toEqual([2, '1'])
      expect(await connection.run(count, [key], ['3'])).toEqual([5, '1'])
      expect(await connection.run(count, [key, `${key}2`], ['1'])).toEqual([6, '2'])
      const many = Array.from({ length: 100 }, () => connection.run(count, [freshKey()], ['1']))
      expect(await Promise.all(many)).toEqual(many.map(() => [1, '1']))

      expect(await connection.command(['GET', key], key)).toBe('6')
      expect(await connection.command(['DEL', key], key)).toBe(1)
      expect(await connection.command(['PING'])).toBe('PONG')
      expect(await connection.command(['PING'], key)).toBe('PONG')
      expect(await connection.command(['INFO', 'memory'])).toContain('maxmemory_policy')
      expect(await connection.command(['INFO', 'memory'], key)).toContain('maxmemory_policy')
      if (maker.kind !== 'cluster') return
      // Each command goes to the node that has the key.
      const ids = [0, 1, 2].map(master => connection.command(['CLUSTER', 'MYID'], freshKey(master)))
      expect(new Set(await Promise.all(ids)).size).toBe(3)
    })

    // node-redis has no key prefix before 6.1.
    if (!maker.prefixes) continue
    it(`a connection puts the key prefix of the client before keys: ${mode}`, async ({
      scene,
      expect,
      skip,
    }) => {
      if (!maker.prefixes) skip('this version knows no key prefix')
      const user = scene.user(maker, port(), { keyPrefix: 'mine:' })
      const plain = scene.user(maker, port())
      await Promise.all([user.connect(), plain.connect()])
      const connection = scene.connection(user.client, { connection: mode })
      const other = scene.connection(plain.client)
      await Promise.all([connection.opened, other.opened])
      const key = freshKey()
      expect(await connection.run(script('return KEYS[1]'), [key], [])).toBe(`mine:${key}`)
      await connection.run(counting(), [key], ['7'])
      expect(await other.command(['GET', `mine:${key}`], `mine:${key}`)).toBe('7')
      expect(await connection.command(['DEL', key], key)).toBe(1)
    })
  }
})
