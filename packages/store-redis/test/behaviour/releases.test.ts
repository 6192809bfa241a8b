import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { type Decision, RateLimiter, type RequestView } from '@halt/core'
import { describe } from 'vitest'

import { ask, startRedis } from '../../../../tools/servers.ts'
import { RedisStore } from '../../src/index.ts'
import { type Maker, singles } from '../connection/makers.ts'
import { it, type Scene, until } from '../connection/scene.ts'

const policy = {
  name: 'exports',
  algorithm: 'concurrency',
  limit: 10,
  ttl: 600,
  keyStrategy: 'user',
} as const
const request = (id: string): RequestView => ({
  method: 'GET',
  path: '/export',
  ip: '203.0.113.7',
  headers: {},
  request: { user: { id } },
})

/** A limiter on a connection of its own, with all places taken. */
async function busy(
  scene: Scene,
  maker: Maker,
  port: number,
): Promise<{
  limiter: RateLimiter
  failures: unknown[]
  decisions: Decision[]
  free: () => Promise<number>
}> {
  const user = scene.user(maker, port)
  await user.connect().catch(() => {})
  const store = new RedisStore({ client: user.client, warn: () => {} })
  scene.defer(() => store.close())
  const failures: unknown[] = []
  const telemetry = { onStoreError: (error: unknown) => void failures.push(error) }
  const limiter = new RateLimiter({ store, policy, warn: () => {}, storeTimeout: '2s', telemetry })
  await until('an answer', async () => (await limiter.peek(request('ann'))).degraded === false)
  failures.length = 0
  const decisions: Decision[] = []
  for (let i = 0; i < 10; i++) decisions.push(await limiter.check(request('ann')))
  if (decisions.some(({ allowed, degraded }) => !allowed || degraded !== false))
    throw new Error('not all are in flight')
  return { limiter, failures, decisions, free: async () => (await limiter.peek(request('ann'))).remaining }
}

const makers = singles.filter(({ kind, name }) => kind === 'single' && !name.includes('5'))

describe.each(makers.map(maker => [maker.name, maker] as const))(
  'requests in flight on %s',
  (_name, maker) => {
    it('requests in flight free all ten places although Redis refused their releases for a while', async ({
      scene,
      expect,
    }) => {
      const server = await scene.server()
      const { limiter, failures, decisions, free } = await busy(scene, maker, server.port)
      await ask(server.port, 'CONFIG SET min-replicas-to-write 1')
      await Promise.all(decisions.map(decision => limiter.release(decision)))
      expect(failures).toHaveLength(10)
      await ask(server.port, 'CONFIG SET min-replicas-to-write 0')
      await until('ten free places', async () => (await free()) === 10)
      // Each release counts once.
      await sleep(700)
      expect(await free()).toBe(10)
    })

    it('requests in flight free all ten places although Redis was away when they ended', async ({
      scene,
      expect,
    }) => {
      const dir = await mkdtemp(join(tmpdir(), 'halt-releases-'))
      scene.defer(() => rm(dir, { recursive: true, force: true }))
      const args = ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir]
      const server = await startRedis({ args })
      scene.defer(() => server.stop())
      const { limiter, failures, decisions, free } = await busy(scene, maker, server.port)
      await server.stop()
      await until('a failure', async () => (await limiter.check(request('bob'))).degraded !== false)
      await Promise.all(decisions.map(decision => limiter.release(decision)))
      expect(failures.length).toBeGreaterThan(0)
      const back = await startRedis({ args, port: server.port })
      scene.defer(() => back.stop())
      await until('ten free places', async () => {
        const decision = await limiter.peek(request('ann'))
        return decision.degraded === false && decision.remaining === 10
      })
      expect(await free()).toBe(10)
    })
  },
)
