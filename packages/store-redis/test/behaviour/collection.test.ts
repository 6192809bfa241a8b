import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { inject } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'
import { startProxy } from '../connection/proxy.ts'
import { it } from '../connection/scene.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const policy = { name: 'p', limit: 2, window: '1h' } as const

/** Whether the garbage collector frees all of these within some hundred runs. */
async function areFreed(refs: readonly WeakRef<object>[]): Promise<boolean> {
  for (let looks = 0; looks < 300; looks++) {
    // In a task of its own, because an object that a task has dereferenced lives until the task ends.
    await sleep(10)
    gc()
    await sleep(0)
    if (refs.every(ref => ref.deref() === undefined)) return true
  }
  return false
}

it.for([
  ['answers', '5s', 'closed', false],
  ['answers too late', '20ms', 'local', 'local'],
] as const)(
  'the collector frees a limiter while its store and the client live, if the store %s',
  async ([, storeTimeout, onStoreError, degraded], { scene, expect }) => {
    const proxy = await startProxy(scene, Number(new URL(inject('redisUrl')).port))
    const client = new Redis(proxy.port)
    scene.defer(() => client.quit())
    for (const connection of ['own', 'shared'] as const) {
      const store = new RedisStore({ client, connection, prefix: `${unique()}:` })
      const use = async (): Promise<WeakRef<object>> => {
        // All parts of a limiter refer to its warn function.
        const warn = (warning: unknown): void => void `${String(warning)}${store.kind}`
        const limiter = new RateLimiter({ store, policy, warn, storeTimeout, onStoreError })
        if (degraded !== false) proxy.delay(() => 200)
        // The time in which this process does something else is not the store's, so a busy one may wait long enough.
        while ((await limiter.consume('x')).degraded !== degraded);
        proxy.delay(() => 0)
        for (let i = 0; i < 3; i++) await limiter.consume('x')
        // An earlier answer may still delay this one beyond 20 ms.
        await limiter.reset({ custom: 'x' }).catch(() => {})
        return new WeakRef(warn)
      }
      expect(await areFreed([await use(), await use()])).toBe(true)
      await store.close()
    }
  },
)

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
