import { type Policy, type Decision, type HaltWarning, RateLimiter } from '@halt/core'
import { describe, inject } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'
import { clusters, type Maker, singles } from '../connection/makers.ts'
import { Stopwatch } from '../../../../tools/stopwatch.ts'
import { it, type Scene, until } from '../connection/scene.ts'

const places: Policy = {
  name: 'places',
  algorithm: 'concurrency',
  limit: 20,
  ttl: 600,
  keyStrategy: 'user',
}
const logins: Policy = { name: 'logins', limit: 40, window: '1d', inFlight: 20, keyStrategy: 'user' }
const both = [places, logins]

/** A limiter on a connection of its own with twenty logins in flight, and what another one reads of them. */
async function busy(scene: Scene, maker: Maker, port: number) {
  const user = scene.user(maker, port)
  await user.connect()
  const prefix = `${unique()}:`
  const warned: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void warned.push(warning)
  const open = (): RateLimiter => {
    const store = new RedisStore({ client: user.client, prefix, warn })
    scene.defer(() => store.close())
    return new RateLimiter({ store, policy: both, storeTimeout: '5s', warn })
  }
  const limiter = open()
  const other = open()
  const user42 = { user: '42' }
  await until('an answer', async () => (await other.peek(user42)).degraded === false)
  const decisions: Decision[] = []
  for (let i = 0; i < 20; i++) decisions.push(await limiter.consume(user42))
  warned.length = 0
  const left = async (): Promise<unknown> => {
    const { verdicts } = await other.peek(user42)
    return Object.fromEntries(verdicts.map(({ policy, remaining }) => [policy, remaining]))
  }
  return { limiter, decisions, warned, left }
}

// Nobody awaits them, as in an adapter.
function end(limiter: RateLimiter, decisions: readonly Decision[], counts: (i: number) => boolean): void {
  for (const [i, decision] of decisions.entries()) {
    void limiter.conclude(decision, counts(i))
    void limiter.release(decision)
  }
}

const servers = [
  ...(['redisUrl', 'valkeyUrl'] as const).flatMap(server =>
    singles
      .filter(({ kind, name }) => kind === 'single' && !name.includes('5'))
      .map(maker => [maker, server.slice(0, -3), () => Number(new URL(inject(server)).port)] as const),
  ),
  ...clusters
    .filter(({ name }) => !name.includes('5'))
    .map(maker => [maker, 'cluster', () => inject('clusterNodes')[0]?.port as number] as const),
]

describe.each(servers.map(([maker, server, port]) => [`${maker.name}, ${server}`, maker, port] as const))(
  'limiter.close() on %s',
  (_name, maker, port) => {
    it('limiter.close() records twenty logins that end as it begins', async ({ scene, expect }) => {
      const { limiter, decisions, warned, left } = await busy(scene, maker, port())
      end(limiter, decisions, i => i % 2 === 0)
      await limiter.close()
      expect(await left()).toEqual({ places: 20, logins: 30 })
      expect(warned).toEqual([])
    })

    it('store.close() records twenty logins that end as it begins', async ({ scene, expect }) => {
      const { limiter, decisions, warned, left } = await busy(scene, maker, port())
      end(limiter, decisions, () => true)
      await limiter.store.close?.()
      expect(await left()).toEqual({ places: 20, logins: 20 })
      expect(warned).toEqual([])
    })
  },
)

describe.each(singles.filter(({ name }) => !name.includes('5')).map(maker => [maker.name, maker] as const))(
  'on a Redis that hangs, with %s',
  (_name, maker) => {
    it('limiter.close() ends while Redis hangs', async ({ scene, expect }) => {
      const server = await scene.server()
      const user = scene.user(maker, server.port)
      await user.connect()
      const store = new RedisStore({ client: user.client, warn: () => {} })
      const limiter = new RateLimiter({ store, policy: places, warn: () => {} })
      await until('an answer', async () => (await limiter.peek({ user: '42' })).degraded === false)
      const decision = await limiter.consume({ user: '42' })
      server.process.kill('SIGSTOP')
      scene.defer(() => server.process.kill('SIGCONT'))
      const watch = new Stopwatch()
      void limiter.release(decision)
      await limiter.close()
      // The deadline of the release, and half a second in which its answer may still come.
      expect(watch.stop()).toBeLessThan(3_000)
    })
  },
)
