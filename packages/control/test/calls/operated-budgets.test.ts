// Calls that hold units of a budget while an operator changes it.
import { QuotaManager, type Quota, type RateLimiterOptions } from '@halt/core'
import { ReferenceStore } from '@halt/core/testing'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'

import { START, world } from '../../../core/test/world.ts'
import { Control } from '../../src/index.ts'

const ANN = { user: 'ann' } as const
const DAY: Quota = { name: 'day', limit: 100, period: 'daily' }
const day: Quota = { name: 'day', limit: 1000, period: 'daily' }
const alice = { user: '42' }

afterEach(() => void vi.useRealTimers())

/** A budget on the manual clock, and a process whose timers run with that clock. */
function process(options: Partial<RateLimiterOptions> = {}) {
  const own = world()
  const limiter = own.limiter(day, options)
  const quotas = new QuotaManager(own.store)
  return {
    ...own,
    limiter,
    /** Time passes, and the process runs. */
    async run(seconds: number): Promise<void> {
      for (let i = 0; i < seconds * 10; i++) {
        own.clock.advance('100ms')
        await vi.advanceTimersByTimeAsync(100)
      }
    },
    async read(): Promise<number[]> {
      const { used, held, remaining } = (await quotas.checkQuota('42', day)).quota
      return [used, held, remaining]
    },
  }
}

it('an operator lowers a budget, and a running call pays from what it holds and gets nothing beyond', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 })
  const { store, clock, limiter, warnings } = world()
  vi.setSystemTime(clock.now())
  const control = new Control({ store, warn: warning => void warnings.push(warning) })
  onTestFinished(() => control.close())
  const own = limiter(DAY, { control })
  const call = await own.reserve(ANN, { cost: 40, ttl: '2m' })
  await control.change('day', { limit: 30 })
  expect([await call.charge(40), await call.charge(1)]).toEqual([true, false])
  expect(call.refusal).toMatchObject({ limit: 30, reason: 'quota-exceeded' })
  await control.override(ANN, 'day', { limit: 60 })
  expect([await call.charge(20), await call.charge(1)]).toEqual([true, false])
  await call.settle(55)
  expect((await new QuotaManager(store).checkQuota('ann', DAY)).quota).toMatchObject({ used: 55, held: 0 })
})

it('a process keeps the units of a call after an operator lowered the limit below them', async () => {
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  const control = new Control({ store: new ReferenceStore(Date.now), warn: () => {} })
  onTestFinished(() => control.close())
  const { limiter, run, read } = process({ control })
  const call = await limiter.reserve(alice, { cost: 400, ttl: '6s' })
  await control.change('day', { limit: 300 })
  expect((await limiter.peek(alice)).limit).toBe(300)
  await run(20)
  expect([await read(), call.signal.aborted]).toEqual([[0, 400, 600], false])
  expect(await call.charge(400)).toBe(true)
})
