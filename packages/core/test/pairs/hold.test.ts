// Calls that hold units of a quota, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { QuotaManager, type Quota } from '../../src/index.ts'
import { processes } from '../lease/processes.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { rejection, world } from '../world.ts'

const ANN = { user: 'ann' } as const
const DAY: Quota = { name: 'day', limit: 100, period: 'daily' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('a caller that waits for a quota starts when the units of a process that died are free', async () => {
  const { limiter, acquire, starts, pass, clock } = passingWorld()
  const dead = limiter(DAY)
  await dead.reserve(ANN, { cost: 80, ttl: '1s' })
  await dead.close()
  const alive = limiter(DAY)
  const began = clock.now()
  const turn = acquire(alive, ANN, 'a', { cost: 50, maxWait: '5s' })
  await pass(1_200)
  await turn
  expect(starts).toHaveLength(1)
  const waited = starts[0]!.at + began - clock.now() + (clock.now() - began)
  expect(waited).toBeGreaterThanOrEqual(1000)
  expect(waited).toBeLessThanOrEqual(1126)
  expect((await rejection(alive.acquire(ANN, { ttl: '1s' } as object))).code).toBe('HALT_E_UNKNOWN_FIELD')
})

it('a call that holds units of a leased quota asks the store, and the limit holds', async () => {
  const hot = processes(2, {
    ...DAY,
    limit: 200,
    keyStrategy: 'shared',
    lease: { share: 0.1, idle: '10s' },
  } as Quota)
  for (let i = 0; i < 30; i++) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  // The process pays from units that it took in advance.
  expect(hot.uses.at(-1)).toMatchObject({ allowed: true, isLocal: true })
  const before = hot.groups.length
  const call = hot.limiters[0]!.reserve({ user: 's' }, { cost: 5, ttl: '2m' })
  await hot.pass(20)
  const { decision, charge } = await call
  expect(decision.allowed).toBe(true)
  const asked = hot.groups.slice(before).flatMap(({ demands }) => demands)
  expect(asked.filter(({ cost, terms }) => cost === 5 && terms?.keptFor === 120e6)).toHaveLength(1)
  const charged = charge(4)
  await hot.pass(20)
  expect(await charged).toBe(true)
  for (let i = 0; i < 100; i++) {
    for (const process of [0, 1]) void hot.use(process, 1)
    await hot.pass(20)
  }
  // The call has 5 of the 200 units, so 195 are left for others.
  expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(195)
  expect(hot.uses.slice(-2)).toMatchObject([{ allowed: false }, { allowed: false }])
})

it('units that calls hold outlive a reset of their quota, and are settled to it', async () => {
  const { store, limiter } = world()
  const quotas = new QuotaManager(store)
  const own = limiter(DAY)
  await own.consume(ANN, { cost: 30 })
  const call = await own.reserve(ANN, { cost: 40, ttl: '2m' })
  expect(await call.charge(5)).toBe(true)
  await quotas.resetQuota('ann', DAY)
  expect((await quotas.checkQuota('ann', DAY)).quota).toMatchObject({ used: 0, held: 35, remaining: 65 })
  expect(await call.charge(15)).toBe(true)
  await call.settle(20)
  // What was paid before the reset is forgiven, with everything else.
  expect((await quotas.checkQuota('ann', DAY)).quota).toMatchObject({ used: 15, held: 0 })
})
