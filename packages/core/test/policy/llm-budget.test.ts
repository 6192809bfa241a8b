import { describe, expect, it } from 'vitest'

import { llmBudget, llmCost, priceOf, QuotaManager, type Quota, usd } from '../../src/index.ts'
import { by, mistake, view, world } from '../world.ts'

describe('llmBudget', () => {
  it('llmBudget makes one policy per number: requests and tokens per minute, tokens per month', () => {
    expect(llmBudget({ rpm: 60, tpm: 90_000, monthly: 5_000_000 })).toEqual([
      {
        name: 'llm_requests',
        limit: 60,
        window: 60,
        keyStrategy: 'user',
        counts: 'requests',
        unit: 'requests',
      },
      { name: 'llm_tokens', limit: 90_000, window: 60, keyStrategy: 'user', unit: 'tokens' },
      {
        name: 'llm_monthly_tokens',
        limit: 5_000_000,
        period: 'monthly',
        keyStrategy: 'user',
        unit: 'tokens',
      },
    ])
    expect(llmBudget({ tpm: 5, name: 'gpt', keyStrategy: 'api-key', plan: 'pro' })).toEqual([
      { name: 'gpt_tokens', limit: 5, window: 60, keyStrategy: 'api-key', plan: 'pro', unit: 'tokens' },
    ])
  })

  it('llmBudget makes policies of input, output and money, and llmCost makes their costs by name', async () => {
    const budget = llmBudget({ itpm: 1000, otpm: 500, spend: { daily: usd(5), monthly: usd(50) } })
    expect(budget.map(({ name, limit, unit }) => [name, limit, unit])).toEqual([
      ['llm_input_tokens', 1000, 'tokens'],
      ['llm_output_tokens', 500, 'tokens'],
      ['llm_daily_spend', 5_000_000, 'usd-micro'],
      ['llm_monthly_spend', 50_000_000, 'usd-micro'],
    ])
    const price = priceOf({ input: 3, output: 15 })
    const cost = (input: number, output: number): Readonly<Record<string, number>> =>
      llmCost({ input, output, spend: price({ input, output }) })
    const { limiter, codes } = world()
    const calls = limiter(budget)
    const call = await calls.reserve(by('u'), { cost: cost(600, 400), ttl: '2m' })
    await call.settle(cost(600, 100))
    const left = (await calls.peek(by('u'))).verdicts.map(({ remaining }) => remaining)
    expect([left, codes()]).toEqual([[400, 400, 5_000_000 - 3300, 50_000_000 - 3300], []])
  })

  it('one number for tokens and money is warned of', async () => {
    const { limiter, codes } = world()
    await limiter(llmBudget({ tpm: 1000, spend: { daily: usd(5) } })).reserve(by('u'), { cost: 10 })
    expect(codes()).toEqual(['HALT_W_COST_UNITS'])
  })

  it.each([{}, 5, { dayly: 5 }, null, { daily: undefined }])('llmBudget refuses a spend of %o', spend => {
    expect(mistake(() => llmBudget({ rpm: 1, spend: spend as never })).code).toBe('HALT_E_PERIOD')
  })

  it('llmBudget freezes its policies, and refuses empty or wrong options', () => {
    const budget = llmBudget({ rpm: 1, tpm: 1 })
    expect([budget, ...budget].every(Object.isFrozen)).toBe(true)
    expect(mistake(() => llmBudget({})).code).toBe('HALT_E_POLICY')
    expect(mistake(() => world().limiter(llmBudget({ rpm: Number.NaN }))).code).toBe('HALT_E_LIMIT')
  })

  it('llmBudget counts one request and its tokens, and corrects the tokens afterwards', async () => {
    const { limiter, store } = world()
    const budget = llmBudget({ rpm: 2, tpm: 1000, monthly: 10_000 })
    const calls = limiter(budget)
    const left = async (): Promise<number[]> =>
      (await calls.peek(by('u'))).verdicts.map(({ remaining }) => remaining)
    const { decision, settle } = await calls.reserve(by('u'), { cost: llmCost(600) })
    expect(decision.allowed).toBe(true)
    expect(await left()).toEqual([1, 400, 9400])
    await settle(llmCost(250))
    expect(await left()).toEqual([1, 750, 9750])
    const { used } = (await new QuotaManager(store).checkQuota('u', budget[2] as Quota)).quota
    expect(used).toBe(250)
  })

  it('llmBudget uses a number as the tokens, and counts a call as one request whatever its cost', async () => {
    const calls = world().limiter(llmBudget({ rpm: 3, tpm: 1000, monthly: 5000 }))
    const left = async (): Promise<number[]> =>
      (await calls.peek(by('u'))).verdicts.map(({ remaining }) => remaining)
    const { decision, settle } = await calls.reserve(by('u'), { cost: 900 })
    expect(decision.allowed).toBe(true)
    expect(await left()).toEqual([2, 100, 4100])
    await settle(50)
    expect(await left()).toEqual([2, 950, 4950])
    await calls.check(by('u'), { cost: { llm_requests: 2 } })
    expect(await left()).toEqual([0, 949, 4949])
  })

  it('llmBudget refuses by the policy that is used up, and charges none of the others', async () => {
    const calls = world().limiter(llmBudget({ rpm: 10, tpm: 1000, monthly: 1500 }))
    await calls.reserve(by('u'), { cost: llmCost(900) })
    const refused = await calls.reserve(by('u'), { cost: llmCost(200) })
    expect(refused.decision).toMatchObject({
      allowed: false,
      policy: 'llm_tokens',
      reason: 'limited',
      retryAfter: 6,
    })
    const tooLong = await calls.reserve(by('u'), { cost: llmCost(1001) })
    expect(tooLong.decision).toMatchObject({
      allowed: false,
      reason: 'cost-exceeds-limit',
      retryAfter: Infinity,
    })
    expect((await calls.peek(by('u'))).verdicts.map(({ remaining }) => remaining)).toEqual([9, 100, 600])
  })

  it('llmBudget grants a call fewer tokens than it asks for, and settles the granted ones', async () => {
    const calls = world().limiter(llmBudget({ rpm: 10, tpm: 1000, monthly: 2500 }))
    const left = async (): Promise<number[]> =>
      (await calls.peek(by('u'))).verdicts.map(({ remaining }) => remaining)
    const ask = async (
      cost: number,
      least: number,
    ): Promise<[tokens: number | undefined, end: () => unknown]> => {
      const { decision, cancel } = await calls.reserve(by('u'), { cost, least })
      return [calls.chargesOf(decision).get('llm_tokens'), cancel]
    }
    // The prompt has 400 tokens and the answer at most 1000: more than a minute ever has.
    const { decision, settle } = await calls.reserve(by('u'), { cost: 1400, least: 500 })
    expect(decision).toMatchObject({ allowed: true, policy: 'llm_tokens', cost: 1000, remaining: 0 })
    expect(Object.fromEntries(calls.chargesOf(decision))).toEqual({
      llm_requests: 1,
      llm_tokens: 1000,
      llm_monthly_tokens: 1000,
    })
    await settle(450)
    expect(await left()).toEqual([9, 550, 2050])
    const [granted, cancel] = await ask(1400, 500)
    expect(granted).toBe(550)
    await cancel()
    expect(await left()).toEqual([9, 550, 2050])
  })

  it('llmBudget grants what the month has left, and charges both budgets alike', async () => {
    const calls = world().limiter(llmBudget({ tpm: 1000, monthly: 300 }))
    const { decision } = await calls.reserve(by('u'), { cost: llmCost(800), least: llmCost(100) })
    expect(Object.fromEntries(calls.chargesOf(decision))).toEqual({
      llm_tokens: 300,
      llm_monthly_tokens: 300,
    })
  })

  it('llmBudget leaves a share of the budgets per minute to more important calls, on the same counters', async () => {
    const numbers = { rpm: 10, tpm: 1000, monthly: 5000 }
    const calls = world().limiter(llmBudget(numbers))
    const policy = llmBudget({ ...numbers, headroom: 0.4 })
    const { decision } = await calls.reserve(by('u'), { policy, cost: 1400, least: 100 })
    expect(calls.chargesOf(decision).get('llm_monthly_tokens')).toBe(600)
    const reserved = await calls.reserve(by('u'), { policy, cost: 100 })
    expect(reserved.decision).toMatchObject({ allowed: false, policy: 'llm_tokens', reason: 'reserved' })
    expect((await calls.reserve(by('u'), { cost: 400 })).decision.allowed).toBe(true)
    expect(mistake(() => world().limiter(llmBudget({ tpm: 1, headroom: 2 }))).code).toBe('HALT_E_HEADROOM')
  })

  it('llmBudget tells a call whose least is not left now when to come again', async () => {
    const calls = world().limiter(llmBudget({ tpm: 600 }))
    await calls.reserve(by('u'), { cost: 600 })
    const later = await calls.reserve(by('u'), { cost: 1400, least: 300 })
    expect(later.decision).toMatchObject({ allowed: false, reason: 'limited', retryAfter: 30 })
    expect(later.decision.verdicts[0]).toMatchObject({ reason: 'limited', retryAfter: 30 })
    const never = await calls.reserve(by('u'), { cost: 1400, least: 601 })
    expect(never.decision).toMatchObject({ reason: 'cost-exceeds-limit', retryAfter: Infinity })
  })

  it('a call that used more than estimated is charged, and the refill pays the debt back', async () => {
    const { clock, limiter } = world()
    const calls = limiter(llmBudget({ tpm: 600 }))
    const { settle } = await calls.reserve(view(), { cost: llmCost(100) })
    await settle(llmCost(900))
    expect(await calls.peek(view())).toMatchObject({ allowed: false, remaining: 0, retryAfter: 31 })
    clock.advance(31)
    expect((await calls.peek(view())).allowed).toBe(true)
  })
})

describe('llmCost', () => {
  it('llmCost takes a number of tokens, or tokens and money by class', () => {
    expect(llmCost(5)).toEqual({ llm_tokens: 5, llm_monthly_tokens: 5 })
    expect(llmCost({ output: 5 }, 'gpt')).toMatchObject({
      gpt_tokens: 5,
      gpt_input_tokens: 0,
      gpt_output_tokens: 5,
    })
    expect(llmCost({ spend: 7 })).toMatchObject({ llm_tokens: 0, llm_daily_spend: 7, llm_monthly_spend: 7 })
  })

  it.each([
    undefined,
    null,
    {},
    { input: undefined },
    { prompt_tokens: 12, completion_tokens: 3 },
    { input: 12, output_tokens: 3 },
  ])('llmCost refuses %o, so that no call is free by mistake', use => {
    expect(mistake(() => llmCost(use as never)).code).toBe('HALT_E_USAGE')
  })
})
