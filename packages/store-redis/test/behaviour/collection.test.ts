import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { inject } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'
import { it } from '../connection/scene.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const policy = { name: 'p', limit: 2, window: '1h' } as const

it('the garbage collector frees a limiter with all its parts while its store and the client live', async ({
  scene,
  expect,
}) => {
  const client = new Redis(inject('redisUrl'))
  scene.defer(() => client.quit())
  for (const connection of ['own', 'shared'] as const) {
    const store = new RedisStore({ client, connection, prefix: `${unique()}:` })
    const use = async (): Promise<WeakRef<object>> => {
      // All parts of a limiter refer to its warn function.
      const warn = (warning: unknown): void => void `${String(warning)}${store.kind}`
      const limiter = new RateLimiter({ store, policy, warn })
      for (let i = 0; i < 3; i++) await limiter.consume('x')
      await limiter.reset({ custom: 'x' })
      return new WeakRef(warn)
    }
    let looks = 0
    const refs = [await use(), await use()]
    const isAlive = (): boolean => refs.some(ref => ref.deref() !== undefined)
    do {
      // In a task of its own, because an object that a task has dereferenced lives until the task ends.
      await sleep(10)
      gc()
      await sleep(0)
    } while (isAlive() && ++looks < 100)
    expect(isAlive()).toBe(false)
    await store.close()
  }
})

it('a limiter that closes leaves the store open for another limiter', async ({ scene, expect }) => {
  const client = new Redis(inject('redisUrl'))
  scene.defer(() => client.quit())
  const store = new RedisStore({ client, prefix: `${unique()}:` })
  const options = { store, storeTimeout: '5s', onStoreError: 'closed', warn: () => {} } as const
  const [one, two] = [new RateLimiter({ ...options, policy }), new RateLimiter({ ...options, policy })]
  expect((await one.consume('x')).allowed).toBe(true)
  await one.close()
  expect(await two.consume('x')).toMatchObject({ allowed: true, degraded: false })
  await two.close()
  expect(await two.consume('y')).toMatchObject({ allowed: false, degraded: 'closed' })
})
