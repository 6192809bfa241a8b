import { isLimited, QuotaManager, RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'

import { unique } from '../../../tools/unique.ts'
import { day, parts, scene, streaming, usage } from './scene.ts'

const LIMIT = 20_000
const quota = { ...day, limit: LIMIT }
const STREAMS = 12
const TEXT = 'ten tokens'

it('many streams of many processes on Redis, some of them cut, use up a budget and never pass it', async () => {
  const prefix = `${unique()}:`
  const open = (): RedisStore => {
    const client = new Redis(inject('redisUrl'))
    const store = new RedisStore({ client, prefix })
    onTestFinished(async () => {
      await store.close()
      client.disconnect()
    })
    return store
  }
  // What a provider would bill: the input, and each part that was passed on.
  let billed = 0
  const counts = { ended: 0, cut: 0, refused: 0 }
  const run = async (seed: number, wrap: ReturnType<typeof scene>['wrap']): Promise<void> => {
    for (let i = seed; ; i++) {
      const texts = Array.from({ length: 5 + (i % 6) }, () => TEXT)
      const { model } = streaming(parts(texts, usage(10, texts.length * TEXT.length)))
      try {
        const { stream } = await wrap(model).doStream({ prompt: [] })
        let seen = 0
        for await (const part of stream) {
          if (part.type === 'error') throw part.error
          if (part.type !== 'text-delta') continue
          billed += seen++ === 0 ? 10 + 20 : 20
          if (i % 5 === 0 && seen === 3) break
        }
        counts[seen === texts.length ? 'ended' : 'cut']++
      } catch (error) {
        if (!isLimited(error)) throw error
        counts.refused++
        return
      }
    }
  }
  const streams = Array.from({ length: 4 }, () => {
    // A busy machine must not let a process decide without the store.
    const { wrap } = scene({ chunk: 40 }, { store: open(), policy: quota, storeTimeout: '30s' })
    return Array.from({ length: STREAMS / 4 }, (_, i) => run(i, wrap))
  })
  await Promise.all(streams.flat())

  const store = open()
  const limiter = new RateLimiter({ store, policy: quota, storeTimeout: '30s' })
  const { used, held } = (await new QuotaManager(limiter.store).checkQuota('team', quota)).quota
  expect([used, held]).toEqual([billed, 0])
  expect(used).toBeLessThanOrEqual(LIMIT)
  // Less than the estimate of a call is left.
  expect(used).toBeGreaterThan(LIMIT - 210)
  expect(counts.refused).toBe(STREAMS)
  expect(counts.cut).toBeGreaterThan(10)
})
