import { describe, expect, it, vi } from 'vitest'

import { llmBudget, llmCost, QuotaManager, type Quota, RateLimiter, type Telemetry } from '../../src/index.ts'
import { fakeOutage, ReferenceStore } from '../../src/testing/index.ts'
import { by, rejection, START, world } from '../world.ts'

const day: Quota = { name: 'day', limit: 1000, period: 'daily' }
const month: Quota = { name: 'month', limit: 5000, period: 'monthly' }
const DAY_ENDS = START / 1000 + 86_400

/** A world with a budget for a day and one for a month, and a way to read what is used and held of each. */
function budgets(...more: Quota[]) {
  const own = world()
  const limiter = own.limiter([day, month, ...more])
  const quotas = new QuotaManager(own.store)
  const read = async (quota: Quota): Promise<unknown[]> => {
    const { used, held, remaining } = (await quotas.checkQuota('42', quota)).quota
    return [used, held, remaining]
  }
  return { ...own, limiter, read, asked: vi.spyOn(own.store, 'evaluate') }
}

describe('a call that holds its units', () => {
  it('a call with ttl holds its units in the budgets, and uses none', async () => {
    const { limiter, read } = budgets()
    const { decision } = await limiter.reserve({ user: '42' }, { cost: 400, ttl: '2m' })
    expect([decision.allowed, decision.remaining]).toEqual([true, 600])
    expect([await read(day), await read(month)]).toEqual([
      [0, 400, 600],
      [0, 400, 4600],
    ])
    expect((await limiter.consume({ user: '42' }, { cost: 601 })).allowed).toBe(false)
    expect((await limiter.consume({ user: '42' }, { cost: 600 })).allowed).toBe(true)
  })

  it('a call is settled to what it used, once', async () => {
    const { limiter, read, codes } = budgets()
    const call = await limiter.reserve(by('42'), { cost: 400, ttl: '2m' })
    await call.settle(150)
    await call.settle(10)
    expect([await read(day), codes()]).toEqual([[150, 0, 850], ['HALT_W_SETTLED_TWICE']])
  })

  it('a budget that a settlement by name leaves out is charged what the call reserved', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: { day: 400, month: 300 }, ttl: '2m' })
    await call.settle({ day: 120 })
    expect([await read(day), await read(month)]).toEqual([
      [120, 0, 880],
      [300, 0, 4700],
    ])
  })

  it('a call may use more than it reserved, which overdraws the budget', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 900, ttl: '2m' })
    await call.settle(1300)
    expect(await read(day)).toEqual([1300, 0, 0])
  })

  it('a cancel gives back what a call holds and what it has paid', async () => {
    const { limiter, read } = budgets()
    const { cancel, charge } = await limiter.reserve({ user: '42' }, { cost: 400, ttl: '2m' })
    expect(await charge(30)).toBe(true)
    await cancel()
    expect(await read(day)).toEqual([0, 0, 1000])
  })

  it('the units of a call are free when its time is over, because its process may have died', async () => {
    const { limiter, read, clock } = budgets()
    const dead = await limiter.reserve({ user: '42' }, { cost: 400, ttl: '2m' })
    clock.advance('2m')
    expect(await read(day)).toEqual([0, 400, 600])
    clock.advance('15s')
    expect(await read(day)).toEqual([0, 0, 1000])
    // It was only thought dead: what it used is charged in full.
    await dead.settle(250)
    expect(await read(day)).toEqual([250, 0, 750])
  })

  it('a call is settled in the period in which it ends', async () => {
    const { limiter, read, clock } = budgets()
    clock.advance('23h')
    const call = await limiter.reserve({ user: '42' }, { cost: 400, ttl: '2h' })
    expect(await call.charge(40)).toBe(true)
    clock.advance('1h')
    expect(await read(day)).toEqual([0, 0, 1000])
    await call.settle(100)
    expect([await read(day), await read(month)]).toEqual([
      [60, 0, 940],
      [100, 0, 4900],
    ])
  })

  it('a call with least accepts fewer units where not all are left', async () => {
    const { limiter, read } = budgets()
    await limiter.consume({ user: '42' }, { cost: 900 })
    const call = await limiter.reserve({ user: '42' }, { cost: 400, least: 50, ttl: '2m' })
    expect(limiter.chargesOf(call.decision).get('day')).toBe(100)
    await call.settle(80)
    expect(await read(day)).toEqual([980, 0, 20])
  })

  it('a call that holds a budget is charged on its other policies as ever', async () => {
    const { limiter } = world()
    const tokens = { name: 'tokens', limit: 90_000, window: '1m', keyStrategy: 'user' } as const
    const own = limiter([tokens, day])
    const call = await own.reserve({ user: '42' }, { cost: { tokens: 4000, day: 400 }, ttl: '2m' })
    const [bucket] = await own.inspect({ user: '42' })
    expect([bucket?.used, bucket?.held]).toEqual([4000, 0])
    await call.settle({ tokens: 700, day: 70 })
    const read = await own.inspect({ user: '42' })
    expect(read.map(({ policy, used, held }) => [policy, used, held])).toEqual([
      ['tokens', 700, 0],
      ['day', 70, 0],
    ])
  })

  it('a settlement by one number reaches the budgets of one unit, and tokens keep their charge', async () => {
    const { limiter, codes } = world()
    const money = { status: 402, unit: 'usd-micro' } as const
    const own = limiter([{ ...day, ...money }, month, ...llmBudget({ rpm: 60, itpm: 90_000, otpm: 20_000 })])
    const cost = { day: 400, month: 400, llm_input_tokens: 30, llm_output_tokens: 100 }
    for (const ttl of ['2m', undefined]) {
      const call = await own.reserve({ user: '42' }, { cost, ttl })
      expect(await call.charge(50)).toBe(true)
      await call.settle(60)
    }
    const read = await own.inspect({ user: '42' })
    expect(read.map(({ policy, used, held }) => [policy, used, held])).toEqual([
      ['day', 120, 0],
      ['month', 120, 0],
      ['llm_requests', 2, 0],
      ['llm_input_tokens', 60, 0],
      ['llm_output_tokens', 200, 0],
    ])
    expect(codes()).toEqual([])
  })

  it('one number for the settlement of budgets of several units is warned of', async () => {
    const { limiter, codes } = world()
    const own = limiter(llmBudget({ monthly: 1000, spend: { daily: 1000 } }))
    const call = await own.reserve({ user: '42' }, { cost: llmCost({ input: 10, output: 10, spend: 90 }) })
    await call.settle(30)
    expect(codes()).toEqual(['HALT_W_COST_UNITS'])
  })

  it('a call holds nothing of a policy that only reports and would refuse', async () => {
    const { limiter, store } = world()
    const shadow: Quota = { ...day, name: 'shadow', limit: 100, mode: 'shadow' }
    const own = limiter([shadow, month])
    const call = await own.reserve({ user: '42' }, { cost: 400, ttl: '2m' })
    expect(await call.charge(50)).toBe(true)
    await call.settle(60)
    const { used } = (await new QuotaManager(store).checkQuota('42', shadow)).quota
    expect([call.decision.allowed, used]).toEqual([true, 0])
  })
})

describe('charge', () => {
  it('charge pays from the units held, and asks the store once per chunk', async () => {
    const { limiter, read, asked } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 400, ttl: '2m' })
    asked.mockClear()
    for (let i = 0; i < 100; i++) expect(await call.charge(1)).toBe(true)
    expect(asked).toHaveBeenCalledTimes(3)
    expect(await read(day)).toEqual([120, 280, 600])
    await call.settle(100)
    expect(await read(day)).toEqual([100, 0, 900])
  })

  it('charge takes a chunk as the call gives it', async () => {
    const { limiter, asked } = budgets()
    const call = await limiter.reserve(
      { user: '42' },
      { cost: 400, ttl: '2m', chunk: { day: 200, month: 1 } },
    )
    asked.mockClear()
    for (let i = 0; i < 10; i++) await call.charge({ day: 10 })
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('charge goes on beyond the units held, until a budget is gone, to its last unit', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 100, ttl: '2m' })
    let parts = 0
    while (await call.charge(7)) parts++
    expect(parts).toBe(Math.floor(1000 / 7))
    // The last chunk is paid ahead.
    expect(await read(day)).toEqual([1000, 0, 0])
    expect(call.refusal).toMatchObject({ reason: 'quota-exceeded', policy: 'day', resetAt: DAY_ENDS })
    expect([await call.charge(6), await call.charge(1)]).toEqual([true, false])
    await call.settle(7 * parts)
    expect(await read(day)).toEqual([994, 0, 6])
  })

  it('the refusal of a charge tells when the units of others are free, and counts not its own', async () => {
    const { limiter, clock } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 500, ttl: '1h' })
    await limiter.reserve({ user: '42' }, { cost: 500, ttl: '10s' })
    expect(await call.charge(600)).toBe(false)
    const { retryAfterMs, policy } = call.refusal!
    expect([policy, retryAfterMs > 10_000, retryAfterMs <= 11_250]).toEqual(['day', true, true])
    clock.advance(`${retryAfterMs - 1}ms`)
    expect(await call.charge(600)).toBe(false)
    clock.advance('1ms')
    expect(await call.charge(600)).toBe(true)
  })

  it('charge pays from all budgets or from none', async () => {
    const { limiter, read } = budgets({ name: 'small', limit: 40, period: 'daily' })
    const call = await limiter.reserve(
      { user: '42' },
      { cost: { day: 100, month: 100, small: 1 }, ttl: '2m' },
    )
    expect(await call.charge({ day: 90, month: 90, small: 41 })).toBe(false)
    expect([await read(day), await read(month)]).toEqual([
      [0, 100, 900],
      [0, 100, 4900],
    ])
    expect(call.refusal?.policy).toBe('small')
    expect(await call.charge({ day: 90, month: 90, small: 40 })).toBe(true)
  })

  it('a settlement that leaves a budget out charges it what the call has paid', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 100, ttl: '2m' })
    await call.charge(37)
    await call.settle({ day: 33 })
    expect([await read(day), await read(month)]).toEqual([
      [33, 0, 967],
      [37, 0, 4963],
    ])
  })

  it('charge counts exactly where many parts are charged at once', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 100, ttl: '2m' })
    const answers = await Promise.all(Array.from({ length: 300 }, () => call.charge(7)))
    expect(answers.filter(Boolean).length).toBe(142)
    await call.settle(142 * 7)
    expect(await read(day)).toEqual([994, 0, 6])
  })

  it('charge waits for a settlement of the same moment, and charges nothing after it', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 100, ttl: '2m' })
    const [first, , second] = await Promise.all([call.charge(20), call.settle(20), call.charge(500)])
    expect([first, second]).toEqual([true, false])
    expect(await call.charge(1)).toBe(false)
    expect(await read(day)).toEqual([20, 0, 980])
  })

  it('charge is false for a call that was refused, and charges nothing', async () => {
    const { limiter, read } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 1001, ttl: '2m' })
    expect([call.decision.allowed, await call.charge(1)]).toEqual([false, false])
    await call.settle(0)
    expect(await read(day)).toEqual([0, 0, 1000])
  })

  it('charge is free for a call that is exempt', async () => {
    const { limiter } = world()
    const call = await limiter({ ...day, exemptions: ['/things'] }).reserve(by('42'), { cost: 9, ttl: '2m' })
    expect(await call.charge(5000)).toBe(true)
  })

  it('charge works without ttl, beyond the estimate that was charged', async () => {
    const { limiter, read, asked } = budgets()
    const call = await limiter.reserve({ user: '42' }, { cost: 100 })
    asked.mockClear()
    for (let i = 0; i < 10; i++) await call.charge(10)
    expect(asked).not.toHaveBeenCalled()
    expect(await call.charge(1)).toBe(true)
    expect(await read(day)).toEqual([110, 0, 890])
    await call.settle(101)
    expect(await read(day)).toEqual([101, 0, 899])
  })

  it('charge goes by the policy of the call, though the limiter has one of the same name', async () => {
    const { limiter } = world()
    const own = limiter([{ ...day, limit: 100 }])
    const large = await own.reserve({ user: '42' }, { cost: 500, ttl: '2m', policy: day })
    expect([await large.charge(900), await large.charge(101)]).toEqual([true, false])
    expect(large.refusal?.limit).toBe(1000)
    const small = await limiter(day).reserve(
      { user: '43' },
      { cost: 50, ttl: '2m', policy: { ...day, limit: 100 } },
    )
    expect([await small.charge(100), await small.charge(1)]).toEqual([true, false])
  })

  it('a call that repeats another one gets back what it paid by itself and did not use', async () => {
    const { limiter, read } = budgets()
    const options = { cost: 100, idempotencyKey: 'once', chunk: 1 }
    const first = await limiter.reserve({ user: '42' }, options)
    const [again, third] = [
      await limiter.reserve({ user: '42' }, options),
      await limiter.reserve({ user: '42' }, options),
    ]
    expect([await again.charge(300), await third.charge(150)]).toEqual([true, true])
    expect(await read(day)).toEqual([350, 0, 650])
    await again.settle(250)
    await again.settle(0)
    expect(await read(day)).toEqual([300, 0, 700])
    await third.cancel()
    expect(await read(day)).toEqual([250, 0, 750])
    await first.settle(40)
    expect(await read(day)).toEqual([190, 0, 810])
  })

  it('charge tells the hooks when a budget is gone', async () => {
    const { limiter } = world()
    const onQuotaExceeded = vi.fn<NonNullable<Telemetry['onQuotaExceeded']>>()
    const onBlocked = vi.fn<NonNullable<Telemetry['onBlocked']>>()
    const call = await limiter(day, { telemetry: { onQuotaExceeded, onBlocked } }).reserve(
      { user: '42' },
      { cost: 100, ttl: '2m' },
    )
    await call.charge(1001)
    expect([onQuotaExceeded.mock.calls.length, onBlocked.mock.calls.length]).toEqual([1, 1])
    expect(onQuotaExceeded.mock.calls[0]?.[1]).toMatchObject({ used: 0, held: 100, remaining: 900 })
  })

  it('charge tells the hooks once that a share of a budget is reached', async () => {
    const { limiter } = world()
    const reached: unknown[] = []
    const onQuotaThreshold: Telemetry['onQuotaThreshold'] = (_who, { used, held }, share) =>
      reached.push([share, used, held])
    const own = limiter(day, { telemetry: { onQuotaThreshold } })
    const call = await own.reserve({ user: '42' }, { cost: 500, ttl: '2m', chunk: 100 })
    for (let i = 0; i < 5; i++) expect(await call.charge(100)).toBe(true)
    expect(reached).toEqual([])
    for (let i = 0; i < 4; i++) expect(await call.charge(100)).toBe(true)
    expect(reached).toEqual([[0.8, 800, 0]])
    const last = await own.reserve({ user: '42' }, { cost: 100, ttl: '2m' })
    // What is held is not used yet.
    expect(reached).toHaveLength(1)
    await last.settle(100)
    expect(reached).toEqual([
      [0.8, 800, 0],
      [1, 1000, 0],
    ])
  })

  it.each([Number.NaN, -1, '5', undefined, Infinity])('charge refuses a cost of %o', async more => {
    const call = await budgets().limiter.reserve({ user: '42' }, { cost: 9, ttl: '2m' })
    expect((await rejection(call.charge(more as never))).code).toBe('HALT_E_COST')
  })
})

describe('a limiter that is closed while calls are open', () => {
  it('a call that is open when its limiter closes uses what it has paid, and a settlement beyond it is warned of', async () => {
    const store = fakeOutage(new ReferenceStore(world().clock.now))
    const codes: string[] = []
    const limiter = new RateLimiter({ store, policy: day, warn: ({ code }) => void codes.push(code) })
    const open = () => limiter.reserve({ user: '42' }, { cost: 200, ttl: '2m' })
    const [stream, answer, unused] = [await open(), await open(), await open()]
    expect(await stream.charge(10)).toBe(true)
    await limiter.close()
    expect([await stream.charge(10), await stream.charge(1)]).toEqual([true, false])
    await stream.settle(20)
    await unused.cancel()
    expect(codes).toEqual([])
    await answer.settle(150)
    expect(codes).toEqual(['HALT_W_UNPAID'])
  })
})

describe('ttl', () => {
  const bucket = { name: 'tokens', limit: 10, window: 60 }

  it('ttl is refused where no policy of the call is a quota', async () => {
    const { limiter } = world()
    const error = await rejection(limiter(bucket).reserve(by('42'), { ttl: '2m' }))
    expect([error.code, error.fix]).toEqual(['HALT_E_TTL', expect.stringContaining('period')])
    const own = limiter([bucket, day])
    expect((await rejection(own.reserve(by('42'), { ttl: '2m', policy: bucket }))).code).toBe('HALT_E_TTL')
    expect((await own.reserve(by('42'), { ttl: '2m' })).decision.allowed).toBe(true)
    const byPlan = limiter(() => bucket)
    expect((await byPlan.reserve(by('42'), { ttl: '2m' })).decision.allowed).toBe(true)
  })

  it.each([0, 0.5, '500ms', '25h', '2', Number.NaN, null, {}])('ttl is refused if it is %o', async ttl => {
    const { limiter } = budgets()
    expect((await rejection(limiter.reserve({ user: '42' }, { ttl: ttl as never }))).code).toBe('HALT_E_TTL')
  })

  it('ttl is refused beside an idempotency key, and by calls that hold nothing', async () => {
    const { limiter } = budgets()
    const options = { ttl: '2m', idempotencyKey: 'a' }
    expect((await rejection(limiter.reserve({ user: '42' }, options))).code).toBe('HALT_E_TTL')
    const check = limiter.consume({ user: '42' }, { ttl: '2m' } as object)
    expect((await rejection(check)).code).toBe('HALT_E_UNKNOWN_FIELD')
  })
})

it('explain and inspect show what calls hold', async () => {
  const { limiter } = budgets()
  await limiter.reserve({ user: '42' }, { cost: 400, ttl: '2m' })
  const explanation = await limiter.explain({ user: '42' })
  expect(explanation.policies.map(({ policy, held, before }) => [policy, held, before])).toEqual([
    ['day', 400, 600],
    ['month', 400, 4600],
  ])
  expect(String(explanation)).toContain('400 held by calls that have not ended')
  expect((await limiter.inspect({ user: '42' })).map(({ used, held }) => [used, held])).toEqual([
    [0, 400],
    [0, 400],
  ])
})
