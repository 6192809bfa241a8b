// Quotas, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { type Policy, QuotaManager, type Quota } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { view, world } from '../world.ts'

const ANN = { user: 'ann' } as const
const HOURLY: Quota = { name: 'calls', limit: 3, period: 'hourly' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('a caller that waits for a quota starts when the next period begins, and is charged to that', async () => {
  const { clock, limiter, acquire, starts, pass, store, now } = passingWorld()
  const api = limiter(HOURLY)
  await api.consume(ANN, { cost: 3 })
  clock.advance(3599.5)
  const began = now()
  const turn = acquire(api, ANN, 'a', { cost: 2, maxWait: '1m' })
  await pass(499)
  expect(starts).toEqual([])
  await pass(2)
  await turn
  expect(starts[0]!.at - began).toBe(500)
  expect((await new QuotaManager(store).checkQuota('ann', HOURLY)).quota).toMatchObject({ used: 2 })
})

it('a guard with delay holds a request until the next period, and refuses at once one that would wait too long', async () => {
  const { clock, limiter, pass } = passingWorld()
  const patient = guard(limiter(HOURLY), { delay: { maxWait: '1s' } })
  const request = view({ request: { user: { id: 'ann' } } })
  await patient.limiter.consume(ANN, { cost: 3 })
  expect(await patient.enter(request, {})).toMatchObject({ pass: false, status: 429 })
  clock.advance(3599.7)
  let passed: boolean | undefined
  const turn = Promise.resolve(patient.enter(request, {})).then(outcome => void (passed = outcome.pass))
  await pass(290)
  expect(passed).toBeUndefined()
  await pass(20)
  await turn
  expect(passed).toBe(true)
})

it('a request that does not count gives back its unit of a quota beside a policy with inFlight', async () => {
  const { limiter, store } = world()
  const logins: Policy = {
    name: 'logins',
    limit: 5,
    window: 3600,
    algorithm: 'fixed-window',
    inFlight: 2,
    keyStrategy: 'user',
  }
  const own = limiter([logins, HOURLY])
  const [good, bad] = [await own.consume(ANN), await own.consume(ANN)]
  expect((await own.consume(ANN)).allowed).toBe(false)
  await own.conclude(good, false)
  await own.conclude(bad, true)
  const quotas = new QuotaManager(store)
  expect((await quotas.checkQuota('ann', HOURLY)).quota).toMatchObject({ used: 1 })
  expect((await own.peek(ANN)).verdicts).toMatchObject([{ remaining: 4 }, { remaining: 2 }])
})

it('the use of a quota counts for the limiter that follows one that was closed', async () => {
  const { limiter } = world()
  const before = limiter(HOURLY)
  await before.consume(ANN, { cost: 2 })
  await before.close()
  expect(await limiter(HOURLY).consume(ANN)).toMatchObject({ allowed: true, remaining: 0 })
})
