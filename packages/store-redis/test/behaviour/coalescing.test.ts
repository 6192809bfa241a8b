import { setTimeout as sleep } from 'node:timers/promises'

import { type Decision, RateLimiter, type RateLimiterOptions } from '@halt/core'
import { Redis } from 'ioredis'
import { inject } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { ask } from '../../../../tools/servers.ts'
import { RedisStore, type Run } from '../../src/index.ts'
import { startProxy } from '../connection/proxy.ts'
import { it, portOf, type Scene } from '../connection/scene.ts'

const policy = { name: 'p', limit: 1000, window: '1h' } as const
const FAR_MS = 400

function limiterOn(scene: Scene, store: RedisStore, options: Partial<RateLimiterOptions> = {}): RateLimiter {
  const limiter = new RateLimiter({ store, policy, onStoreError: 'closed', warn: () => {}, ...options })
  scene.defer(() => limiter.close())
  return limiter
}

function connected(scene: Scene, port: number): Redis {
  const client = new Redis(port)
  client.on('error', () => {})
  scene.defer(() => client.disconnect())
  return client
}

const evaluate =
  (client: Redis): Run =>
  ({ source }, keys, args) =>
    client.eval(source, keys.length, ...keys, ...args)

it('a check does not wait for the reply to the one before it, however far away Redis is', async ({
  scene,
  expect,
}) => {
  const proxy = await startProxy(scene, portOf(inject('redisUrl')))
  const store = new RedisStore({ client: connected(scene, proxy.port), prefix: `${unique()}:` })
  const limiter = limiterOn(scene, store, { storeTimeout: '10s' })
  await limiter.consume('warm')
  proxy.delay(() => FAR_MS)
  const timed = async (): Promise<number> => {
    const started = performance.now()
    expect((await limiter.consume('x')).degraded).toBe(false)
    return performance.now() - started
  }
  const control = await timed()
  const first = timed()
  await sleep(10)
  const times = await Promise.all([first, timed(), sleep(2).then(timed), sleep(4).then(timed)])
  expect(Math.max(...times)).toBeLessThan(1.6 * control)
})

it('a far Redis decides all requests that come a moment apart', async ({ scene, expect }) => {
  const proxy = await startProxy(scene, portOf(inject('redisUrl')))
  const store = new RedisStore({ client: connected(scene, proxy.port), prefix: `${unique()}:` })
  // The deadline is too short for two round trips.
  const limiter = limiterOn(scene, store, { storeTimeout: `${1.75 * FAR_MS}ms` })
  await limiter.consume('warm')
  proxy.delay(() => FAR_MS)
  for (let round = 0; round < 3; round++) {
    const decisions: Promise<Decision>[] = []
    for (let i = 0; i < 40; i++) {
      decisions.push(limiter.consume('x'))
      if (i % 10 === 0) await sleep(1)
    }
    const degraded = (await Promise.all(decisions)).filter(decision => decision.degraded !== false)
    expect(degraded).toEqual([])
  }
})

it('a call of run that never settles degrades only the checks in it', async ({ scene, expect }) => {
  const client = connected(scene, portOf(inject('redisUrl')))
  let stuck = 0
  const run: Run = (script, keys, args) => {
    if (keys.some(key => key.includes('stuck'))) {
      stuck++
      return new Promise(() => {})
    }
    return evaluate(client)(script, keys, args)
  }
  const store = new RedisStore({ run, prefix: `${unique()}:` })
  const limiter = limiterOn(scene, store, { storeTimeout: '2s' })
  const lost = limiter.consume('stuck')
  // Sent alone, because checks in the same call are lost, too.
  await sleep(5)
  const decisions: Decision[] = []
  for (let i = 0; i < 20; i++) decisions.push(await limiter.consume('x'))
  decisions.push(...(await Promise.all(Array.from({ length: 200 }, () => limiter.consume('x')))))
  expect(decisions.filter(({ allowed, degraded }) => !allowed || degraded !== false)).toEqual([])
  expect(stuck).toBe(1)
  expect((await lost).degraded).toBe('closed')
})

it('no call holds Redis for long, whatever its checks ask for', async ({ scene, expect }) => {
  const server = await scene.server()
  const store = new RedisStore({ client: connected(scene, server.port) })
  const limiter = limiterOn(scene, store, {
    storeTimeout: '60s',
    policy: { name: 'p', limit: 2_000, window: '1500ms', algorithm: 'sliding-window', precision: 300 },
  })
  const users = Array.from({ length: 4 }, (_, i) => ({ user: String(i) }))
  // Charges in many sub-windows.
  for (let i = 0; i < 200; i++) {
    await Promise.all(users.map(user => limiter.consume(user)))
    await sleep(6)
  }
  await ask(server.port, 'CONFIG SET slowlog-log-slower-than 0')
  await ask(server.port, 'CONFIG SET slowlog-max-len 2000')
  const operator = connected(scene, server.port)
  const shares: number[] = []
  for (let round = 0; round < 5; round++) {
    await ask(server.port, 'SLOWLOG RESET')
    const all = await Promise.all(
      Array.from({ length: 128 }, (_, i) => limiter.consume(users[i % 4] as { user: string })),
    )
    expect(all.every(({ allowed, degraded }) => allowed && degraded === false)).toBe(true)
    const log = (await operator.call('SLOWLOG', 'GET', '2000')) as [number, number, number, string[]][]
    const times = log
      .filter(([, , , [name]]) => name?.toLowerCase() === 'evalsha')
      .map(([, , micros]) => micros)
    expect(times.length).toBeGreaterThan(128 / 4)
    shares.push(Math.max(...times) / times.reduce((a, b) => a + b))
  }
  // One call would take all of the time, two would take half each. The best round, because a call may wait for a processor.
  expect(Math.min(...shares)).toBeLessThan(1 / 3)
})
