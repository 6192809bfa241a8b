import { describe, expect, it } from 'vitest'

import { type Policy, lastChargedPlan, RateLimiter } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'

const START = Date.UTC(2026, 10, 24)
const whom = { user: '42' }
type Plans = Readonly<Record<string, readonly Policy[]>>

const byUser = (name: string, limit: number, counter = name) =>
  ({ name, limit, window: '1h', counter, keyStrategy: 'user' }) as const
const bucket: (name: string, limit: number, counter?: string) => Policy = byUser
const window = (name: string, limit: number, counter = name): Policy => ({
  ...byUser(name, limit, counter),
  algorithm: 'fixed-window',
})
const sliding = (name: string, limit: number): Policy => ({
  ...byUser(name, limit),
  algorithm: 'sliding-window',
})
const month = (name: string, limit: number, counter = name): Policy => ({
  name,
  limit,
  period: 'monthly',
  counter,
  keyStrategy: 'user',
})

/** An application with plans, and the plan that the counters of a client tell. */
function scene(plans: Plans, listed: readonly string[] = Object.keys(plans)) {
  const clock = new ManualClock(START)
  const store = new ReferenceStore(clock.now)
  const limiters = new Map(
    Object.entries(plans).map(([name, policy]) => [name, new RateLimiter({ store, policy, warn: () => {} })]),
  )
  return {
    clock,
    use: (plan: string, cost = 1) => limiters.get(plan)?.consume(whom, { cost }),
    async told(): Promise<string | undefined> {
      const known = [...limiters].filter(([name]) => listed.includes(name))
      const readings = Array.from(known, async ([name, limiter]) => ({
        name,
        counters: await limiter.inspect(whom),
      }))
      return lastChargedPlan(await Promise.all(readings))
    },
  }
}

describe('the plan under which a client was charged last', () => {
  it('a bucket that the plans share tells the plan that charged last, after each change of the plan', async () => {
    const { use, told } = scene({ free: [bucket('free', 100, 'plan')], pro: [bucket('pro', 2000, 'plan')] })
    expect(await told()).toBe(undefined)
    await use('free')
    expect(await told()).toBe('free')
    await use('pro')
    expect(await told()).toBe('pro')
    await use('free')
    expect(await told()).toBe('free')
  })

  it('quotas of their own tell the last plan, and the bucket tells it after an upgrade in the same month', async () => {
    const common = bucket('per_user', 1000)
    const plans = {
      free: [common, bucket('free', 100, 'plan'), month('free_month', 1000)],
      pro: [common, bucket('pro', 2000, 'plan'), month('pro_month', 100_000)],
    }
    const { use, told, clock } = scene(plans)
    await use('free', 5)
    clock.advance('3h')
    // The buckets are full again. The quota of this month is charged under one plan alone.
    expect(await told()).toBe('free')
    await use('pro')
    expect(await told()).toBe('pro')
    clock.advance('3h')
    expect(await told()).toBe(undefined)
  })

  it('the only listed plan is not the last one, if other numbers charged its bucket', async () => {
    const { use, told } = scene({ free: [bucket('free', 100, 'plan')], pro: [bucket('pro', 2000, 'plan')] }, [
      'free',
    ])
    await use('pro')
    expect(await told()).toBe(undefined)
    await use('free')
    expect(await told()).toBe('free')
  })

  it('the last plan is unknown where the plans charge one window, one quota, or a bucket by the same numbers', async () => {
    for (const make of [window, month]) {
      const { use, told } = scene({ free: [make('free', 100, 'plan')], pro: [make('pro', 2000, 'plan')] })
      await use('pro')
      expect(await told()).toBe(undefined)
    }
    const { use, told } = scene({ a: [bucket('a', 100, 'plan')], b: [bucket('b', 100, 'plan')] })
    await use('a')
    expect(await told()).toBe(undefined)
  })

  it('the last plan is never a wrong one, whatever the plans share and however often the client changes', async () => {
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const pick = (name: string): readonly Policy[] => {
      const policies = [
        bucket(`${name}_b`, 50 * (1 + random(3)), random(2) === 0 ? 'plan' : `${name}_b`),
        window(`${name}_w`, 500, random(3) === 0 ? 'shared_w' : `${name}_w`),
        sliding(`${name}_s`, 500),
        month(`${name}_m`, 5000, random(3) === 0 ? 'shared_m' : `${name}_m`),
      ].filter(() => random(2) === 0)
      return policies.length > 0 ? policies : [bucket(`${name}_b`, 70 + 10 * random(3), 'plan')]
    }
    let [known, asked] = [0, 0]
    for (let round = 0; round < 80; round++) {
      const names = ['a', 'b', 'c'].slice(0, 2 + random(2))
      const { clock, use, told } = scene(Object.fromEntries(names.map(name => [name, pick(name)])))
      let last: string | undefined
      for (let step = 0; step < 12; step++) {
        const name = names[random(names.length)] as string
        if ((await use(name, 1 + random(3)))?.allowed === true) last = name
        clock.advance([1, 60, 1800, 3600, 7200, 86_400 * 20][random(6)] as number)
        const plan = await told()
        asked++
        if (plan === undefined) continue
        known++
        expect(plan).toBe(last)
      }
    }
    expect(known / asked).toBeGreaterThan(0.2)
  })
})
