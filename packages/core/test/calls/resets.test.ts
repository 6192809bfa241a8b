import { expect, it } from 'vitest'

import { QuotaManager, type Quota } from '../../src/index.ts'
import { world } from '../world.ts'

const quota: Quota = { name: 'calls', limit: 100, period: 'daily' }
const alice = { user: '42' }

it.each([
  ['is cancelled', undefined],
  ['is settled to fewer units', 20],
] as const)(
  'a call that %s after a reset gives back nothing of what it charged before, in whatever process',
  async (_name, actual) => {
    const { store, limiter } = world()
    const [one, two] = [limiter(quota), limiter(quota)]
    const quotas = new QuotaManager(store)
    const call = await one.reserve(alice, { cost: 55 })
    await quotas.resetQuota('42', quota)
    expect((await two.consume(alice, { cost: 100 })).allowed).toBe(true)
    await (actual === undefined ? call.cancel() : call.settle(actual))
    expect((await quotas.checkQuota('42', quota)).quota).toMatchObject({ used: 100, remaining: 0 })
    expect((await two.consume(alice)).allowed).toBe(false)
  },
)

it('a call that used more than it had charged before a reset is charged the rest after it', async () => {
  const { store, limiter } = world()
  const quotas = new QuotaManager(store)
  const call = await limiter(quota).reserve(alice, { cost: 10 })
  await quotas.resetQuota('42', quota)
  await call.settle(13)
  expect((await quotas.checkQuota('42', quota)).quota.used).toBe(3)
})

it('a reset leaves running calls what they hold, and a settlement pays from it', async () => {
  const { store, limiter } = world()
  const quotas = new QuotaManager(store)
  const call = await limiter(quota).reserve(alice, { cost: 40, ttl: '1m' })
  expect(await call.charge(10)).toBe(true)
  await quotas.resetQuota('42', quota)
  expect((await quotas.checkQuota('42', quota)).quota).toMatchObject({ used: 0, held: 30 })
  await call.settle(35)
  expect((await quotas.checkQuota('42', quota)).quota).toMatchObject({ used: 25, held: 0 })
})
