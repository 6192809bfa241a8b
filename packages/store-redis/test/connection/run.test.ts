import { describe, inject } from 'vitest'

import { clusters, singles } from './makers.ts'
import { counting, freshKey, it, portOf, script } from './scene.ts'

const cases = [
  ...singles.map(maker => ({ maker, server: 'Redis', port: () => portOf(inject('redisUrl')) })),
  ...singles.map(maker => ({ maker, server: 'Valkey', port: () => portOf(inject('valkeyUrl')) })),
  ...clusters.map(maker => ({ maker, server: 'Redis', port: () => inject('clusterNodes')[0]!.port })),
].map(entry => ({ ...entry, name: `${entry.maker.name} on ${entry.server}` }))

describe.each(cases)('$name', ({ maker, port }) => {
  for (const connection of ['own', 'shared'] as const) {
    it(`runs scripts and commands over a connection that is ${connection}`, async ({ scene, expect }) => {
      const user = scene.user(maker, port())
      await user.connect()
      const link = scene.link(user.client, { connection })
      await link.opened
      expect(link.ready).toBe(true)
      expect(link.topology).toBe(maker.kind === 'cluster' ? 'cluster' : 'single')

      const count = counting()
      const key = freshKey()
      // First the server does not know it, then it does.
      expect(await link.run(count, [key], ['2'])).toEqual([2, '1'])
      expect(await link.run(count, [key], ['3'])).toEqual([5, '1'])
      expect(await link.run(count, [key, `${key}2`], ['1'])).toEqual([6, '2'])
      const many = Array.from({ length: 100 }, () => link.run(count, [freshKey()], ['1']))
      expect(await Promise.all(many)).toEqual(many.map(() => [1, '1']))

      expect(await link.command(['GET', key], key)).toBe('6')
      expect(await link.command(['DEL', key], key)).toBe(1)
      expect(await link.command(['PING'])).toBe('PONG')
      expect(await link.command(['PING'], key)).toBe('PONG')
      expect(await link.command(['INFO', 'memory'])).toContain('maxmemory_policy')
      expect(await link.command(['INFO', 'memory'], key)).toContain('maxmemory_policy')
      if (maker.kind !== 'cluster') return
      // Each is put to the node that has the key.
      const ids = [0, 1, 2].map(master => link.command(['CLUSTER', 'MYID'], freshKey(master)))
      expect(new Set(await Promise.all(ids)).size).toBe(3)
    })

    // node-redis knows no key prefix before 6.1.
    if (!maker.prefixes) continue
    it(`puts the key prefix of the client before keys, where it is ${connection}`, async ({
      scene,
      expect,
      skip,
    }) => {
      if (!maker.prefixes) skip('this version knows no key prefix')
      const user = scene.user(maker, port(), { keyPrefix: 'mine:' })
      const plain = scene.user(maker, port())
      await Promise.all([user.connect(), plain.connect()])
      const link = scene.link(user.client, { connection })
      const other = scene.link(plain.client)
      await Promise.all([link.opened, other.opened])
      const key = freshKey()
      expect(await link.run(script('return KEYS[1]'), [key], [])).toBe(`mine:${key}`)
      await link.run(counting(), [key], ['7'])
      expect(await other.command(['GET', `mine:${key}`], `mine:${key}`)).toBe('7')
      expect(await link.command(['DEL', key], key)).toBe(1)
    })
  }
})
