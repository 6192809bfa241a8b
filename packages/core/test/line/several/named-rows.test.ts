// Set-ups that people write every day: policies of different speed, of which each alone would be simple.
import { describe, expect, it } from 'vitest'

import { llmBudget } from '../../../src/index.ts'
import { inVirtualTime } from '../rows.ts'
import type { Given } from './counters.ts'
import { BESIDE_WINDOW } from './judges.ts'
import { aTown, expectDue, expectNothingLeft, expectWithin, mostWithin, workers } from './town-rows.ts'

inVirtualTime()

const user = { keyStrategy: 'user' } as const
const perSecond = (limit: number, rest: Partial<Given> = {}): Given =>
  ({ name: 'second', limit, window: '1s', ...user, ...rest }) as Given
const perMinute = (limit: number, rest: Partial<Given> = {}): Given =>
  ({ name: 'minute', limit, window: '1m', ...user, ...rest }) as Given

describe('two rates of one client', () => {
  it('20 workers under 10 per second and 60 per minute start as often as 60 per minute allows', async () => {
    const town = await aTown({ policies: [perSecond(10), perMinute(60)] })
    workers(town, 20, { maxWaitMs: 30_000 })
    await town.pass(300_000)
    expectDue(town)
    await expectNothingLeft(town)
  })

  it('20 workers under 2 per second and 60 per minute start as often as both allow', async () => {
    const town = await aTown({ policies: [perSecond(2), perMinute(60)] })
    workers(town, 20, { maxWaitMs: 30_000 })
    await town.pass(80_000)
    expectDue(town)
    await expectNothingLeft(town)
  })

  it('100 workers in four processes under 10 per second and 300 per minute start one by one, five a second', async () => {
    const town = await aTown({
      policies: [perSecond(10, { burst: 1 }), perMinute(300, { burst: 1 })],
      processes: 4,
    })
    workers(town, 100, { maxWaitMs: 60_000 })
    await town.pass(25_000)
    expectDue(town)
    expect(mostWithin(town, 90)).toBeLessThanOrEqual(1)
    await expectNothingLeft(town)
  })
})

describe('a budget of a model', () => {
  it('100 calls under 60 requests and 90 000 tokens per minute all start, the last after 40 s', async () => {
    const town = await aTown({ policies: llmBudget({ rpm: 60, tpm: 90_000 }) as readonly Given[] })
    for (let i = 0; i < 100; i++) town.ask({ units: 1200, maxWaitMs: 120_000 })
    await town.pass(42_000)
    expect(town.starts).toHaveLength(100)
    expectDue(town)
    await expectNothingLeft(town)
  })

  it('calls whose tokens of input, of output and whose number are limited start as often as the tightest allows', async () => {
    const policies = llmBudget({ rpm: 60, itpm: 90_000, otpm: 20_000 }) as readonly Given[]
    const town = await aTown({ policies, processes: 2 })
    const units = (n: number) => ({
      llm_requests: 1,
      llm_input_tokens: 500 + ((n * 7) % 10) * 300,
      llm_output_tokens: 400,
    })
    workers(town, 20, { units, maxWaitMs: 120_000 })
    await town.pass(60_000)
    expectDue(town, 0.96)
    await expectNothingLeft(town)
  })
})

describe('a bucket of all beside one of each customer', () => {
  it('15 callers of 5 customers under 10 per second for all and one per 6 s for each all start, none too early', async () => {
    const town = await aTown({
      policies: [perSecond(10, { keyStrategy: 'shared' }), perMinute(10, { burst: 1 })],
    })
    for (let i = 0; i < 15; i++) town.ask({ client: `c${i % 5}`, maxWaitMs: 60_000 })
    await town.pass(12_500)
    expect(town.starts).toHaveLength(15)
    expectDue(town)
    await expectNothingLeft(town)
  })

  it('three customers under one per 6 s for each and one per second for all start in turn, and none catches up', async () => {
    const policies = [perSecond(1, { burst: 1, keyStrategy: 'shared' }), perMinute(10, { burst: 1 })]
    const town = await aTown({ policies, processes: 2, delays: { least: 500, most: 1749 } })
    for (let i = 0; i < 18; i++) town.work({ process: i % 2, client: `c${i % 3}`, maxWaitMs: 60_000 })
    await town.pass(45_000)
    // Eight turns of each customer, the first three a second apart.
    expect(town.starts.length).toBeGreaterThanOrEqual(3 * 8 - 2)
    expectDue(town, 0.9)
    await expectNothingLeft(town)
  })

  it('customers of 10 per second each behind 20 per second of all start one by one, in four processes', async () => {
    const policies = [
      perSecond(20, { burst: 1, keyStrategy: 'shared' }),
      { ...perSecond(10, { burst: 1 }), name: 'each' },
    ]
    const town = await aTown({ policies, processes: 4, delays: { least: 500, most: 3000 } })
    for (let i = 0; i < 40; i++) town.work({ process: i % 4, client: `c${i % 8}`, maxWaitMs: 60_000 })
    await town.pass(6000)
    expectDue(town, 0.95)
    await expectNothingLeft(town)
  })

  it('100 customers behind one bucket of 50 per second start 20 ms apart, though each has its own bucket', async () => {
    const policies = [perSecond(50, { burst: 1, keyStrategy: 'shared' }), perMinute(20, { burst: 1 })]
    const town = await aTown({ policies, processes: 2 })
    for (let i = 0; i < 200; i++) town.work({ process: i % 2, client: `c${i % 100}`, maxWaitMs: 60_000 })
    await town.pass(4000)
    expect(mostWithin(town, 20)).toBeLessThanOrEqual(3)
    expectDue(town)
    await expectNothingLeft(town)
  })
})

describe('a bucket beside a window', () => {
  it('workers under 10 per second one by one and 7 in any second start as late as their processes hear of units, in three processes', async () => {
    const policies: Given[] = [
      perSecond(10, { burst: 1 }),
      { name: 'window', algorithm: 'sliding-window', limit: 7, window: '1s', ...user },
    ]
    const town = await aTown({ policies, processes: 3, delays: { least: 500, most: 3000 } })
    workers(town, 30, { maxWaitMs: 60_000 })
    await town.pass(10_000)
    // Each second the window ends a little later than the one before.
    expectDue(town, 0.93, BESIDE_WINDOW)
    await expectNothingLeft(town)
  })
})

describe('requests that an adapter holds', () => {
  it('80 requests held under 10 per second and 60 per minute all pass, the last after 20 s', async () => {
    const town = await aTown({ policies: [perSecond(10), perMinute(60)] })
    for (let i = 0; i < 80; i++) town.ask({ by: 'delay', maxWaitMs: 60_000 })
    await town.pass(22_000)
    expect(town.starts).toHaveLength(80)
    expectWithin(town)
    await expectNothingLeft(town)
  })
})
