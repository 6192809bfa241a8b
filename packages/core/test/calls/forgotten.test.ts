import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { QuotaManager, type Quota } from '../../src/index.ts'
import { START, world } from '../world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const day: Quota = { name: 'day', limit: 1000, period: 'daily' }

beforeEach(() => vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

it('a call that nobody can settle any more is held no longer, and its author is told', async () => {
  const { limiter, store, clock, codes } = world()
  const own = limiter(day)
  const kept = await own.reserve({ user: '42' }, { cost: 10, ttl: '6s' })
  const { settle } = await own.reserve({ user: '42' }, { cost: 20, ttl: '6s' })
  await own.reserve({ user: '42' }, { cost: 400, ttl: '6s' })
  const pass = async (halfSeconds: number): Promise<void> => {
    for (let i = 0; i < halfSeconds; i++) {
      clock.advance('500ms')
      await vi.advanceTimersByTimeAsync(500)
    }
  }
  // Lets the promises go before they are collected. A collection costs a shared process half a second.
  for (let i = 0; i < 2; i++) {
    await new Promise(resolve => void setImmediate(resolve))
    collect()
    await pass(1)
  }
  await pass(38)
  const read = async (): Promise<number> => (await new QuotaManager(store).checkQuota('42', day)).quota.held
  expect([await read(), codes()]).toEqual([30, ['HALT_W_NEVER_SETTLED']])
  await settle(5)
  await kept.settle(5)
  expect(await read()).toBe(0)
})
