// A customer of a product with plans, whose company has a quota of its own, complains in the evening.
import { Control, UsageByUser } from '@halt/control'
import { type Policy, type Quota, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { openSite, type Site } from './site.ts'

let site: Site
let usage: UsageByUser
afterEach(async () => {
  await usage.close()
  await site.close()
})

const FREE: Policy = { name: 'free', limit: 10, window: '1h', keyStrategy: 'user', counter: 'plan' }
const PRO: Policy = { ...FREE, name: 'pro', limit: 200 }
const FREE_MONTH: Quota = { name: 'free_month', limit: 15, period: 'monthly', anchor: aMinuteAgo() }
const PRO_MONTH: Quota = { name: 'pro_month', limit: 1000, period: 'monthly', anchor: aMinuteAgo() }
const COMPANY: Quota = {
  name: 'company_month',
  limit: 30,
  period: 'monthly',
  anchor: aMinuteAgo(),
  keyExtractor: request => (request as { company?: string }).company,
}
const PLANS = { free: [FREE, FREE_MONTH], pro: [PRO, PRO_MONTH] }

interface Asked {
  readonly user: { readonly id: string }
  readonly plan: keyof typeof PLANS
  readonly company?: string
}

/** A page of a limiter whose policies depend on the request's plan. */
async function openPlans(
  given: object = { plans: PLANS },
): Promise<(plan: keyof typeof PLANS, cost: number, user?: string) => Promise<string>> {
  const store = new InMemoryStore()
  usage = new UsageByUser({ store, policies: ['company_month'] })
  const limiter = new RateLimiter<Asked>({
    store,
    policy: ({ plan }) => [...PLANS[plan], COMPANY] as never,
    telemetry: usage,
    warn: () => {},
  })
  const control = new Control({ store })
  site = await openSite({ limiters: [{ limiter, policies: [COMPANY] }], control, reveal: true, ...given })
  return async (plan, cost, user = '42') => {
    const request = { user: { id: user }, plan, company: 'acme', socket: { remoteAddress: '203.0.113.7' } }
    return (await limiter.check(request, { cost })).reason
  }
}

const find = async (whom: object): Promise<Record<string, any>> => (await site.call('find', { whom })).body

describe('a client of a limiter with plans', () => {
  it('a client is found under each plan apart, and the plan that charged it last is marked', async () => {
    const ask = await openPlans()
    expect(await ask('free', 10)).toBe('ok')
    expect(await ask('free', 1)).toBe('limited')
    expect(await ask('pro', 10)).toBe('ok')
    const { limiters } = await find({ user: '42' })
    expect(limiters).toMatchObject([
      {
        plan: 'free',
        chargedLast: false,
        allowed: false,
        policies: [{ policy: 'free' }, { policy: 'free_month' }],
      },
      {
        plan: 'pro',
        chargedLast: true,
        allowed: true,
        policies: [{ policy: 'pro' }, { policy: 'pro_month' }],
      },
    ])
    const reset = { act: 'reset', whom: { user: '42' }, reason: 'their bug', confirmed: true }
    expect((await site.call('act', reset)).body['says']).toContain('1 counter of user:42 was reset.')
    expect((await site.call('about')).body['policies'].map(({ name }: { name: string }) => name)).toEqual([
      'company_month',
      'free',
      'free_month',
      'pro',
      'pro_month',
    ])
  })

  it('a client is under the plan that the application says, whatever its counters tell', async () => {
    const asked: object[] = []
    const plans: Record<string, unknown> = { 42: 'pro', 7: 'gold' }
    const planOf = async (client: { readonly user?: string | undefined }): Promise<string> => {
      asked.push(client)
      if (client.user === '8') throw new Error('the database is away')
      return plans[client.user ?? ''] as string
    }
    const ask = await openPlans({ plans: PLANS, planOf })
    expect(await ask('free', 10)).toBe('ok')
    const plansOf = async (whom: object): Promise<unknown> =>
      (await find(whom))['limiters'].map((each: Record<string, unknown>) => [each['plan'], each['isOwn']])
    expect((await find({ user: '42' }))['limiters']).toMatchObject([
      { plan: 'free', isOwn: false, chargedLast: true },
      { plan: 'pro', isOwn: true, chargedLast: false },
    ])
    await plansOf({ user: '42', ip: '203.0.113.7' })
    expect(asked).toEqual([{ user: '42' }, { user: '42', ip: '203.0.113.7' }])
    // A plan that the page does not know, no plan, and a database that is away: then the counters may tell.
    const unknown = [
      ['free', undefined],
      ['pro', undefined],
    ]
    for (const user of ['7', '9', '8']) expect(await plansOf({ user })).toEqual(unknown)
  })

  it('a client is under an unknown plan if its counters do not tell', async () => {
    await openPlans()
    const { limiters } = await find({ user: '7' })
    expect(limiters).toMatchObject([
      { plan: 'free', allowed: true },
      { plan: 'pro', allowed: true },
    ])
    for (const limiter of limiters) expect(limiter).not.toHaveProperty('chargedLast')
  })

  it('find shows the quota of a company that refuses a client', async () => {
    const ask = await openPlans()
    expect(await ask('pro', 30)).toBe('ok')
    expect(await ask('pro', 1)).toBe('quota-exceeded')
    const { counted, isWhole } = await find({ user: '42' })
    expect(isWhole).toBe(true)
    expect(counted).toMatchObject([
      {
        key: 'custom:acme',
        last: [{ policy: 'company_month', allowed: false, reason: 'quota-exceeded' }],
        now: [
          { allowed: false, reason: 'quota-exceeded', policies: [{ policy: 'company_month', remaining: 0 }] },
        ],
      },
    ])
    await site.call('act', {
      act: 'grant',
      whom: 'custom:acme',
      policy: 'company_month',
      units: 5,
      reason: 'our outage',
      confirmed: true,
    })
    expect((await find({ user: '42' }))['counted']).toMatchObject([{ now: [{ allowed: true }] }])
    expect(await ask('pro', 5)).toBe('ok')
  })

  it('find shows the quota of a company beside the address of a client, too', async () => {
    const ask = await openPlans()
    await ask('pro', 30)
    await ask('pro', 1)
    const { counted } = await find({ user: '42', ip: '203.0.113.7' })
    expect(counted).toMatchObject([{ key: 'custom:acme', now: [{ allowed: false }] }])
  })

  it('find shows other keys as digests where keys are not shown', async () => {
    const ask = await openPlans({ plans: PLANS, reveal: false })
    await ask('pro', 1)
    const found = await find({ user: '42' })
    expect(found['counted']).toMatchObject([{ key: expect.stringMatching(/^custom #/) }])
    expect(JSON.stringify(found)).not.toContain('acme')
    expect((await find(found['counted'][0].key))['who']).toBe(found['counted'][0].key)
  })

  it('find tells who used the quota of a company while it refuses, and finds these users by their digests', async () => {
    const ask = await openPlans({ plans: PLANS, reveal: false })
    await ask('pro', 20)
    await ask('pro', 10, 'bob')
    expect(await ask('pro', 1)).toBe('quota-exceeded')
    await usage.flush()
    const { usage: told } = await find({ custom: 'acme' })
    expect(told).toMatchObject([
      {
        policy: 'company_month',
        users: [
          { key: expect.stringMatching(/^user #/), units: 20 },
          { key: expect.stringMatching(/^user #/), units: 10 },
        ],
        others: 0,
      },
    ])
    const bob = told[0].users[1].key
    expect(await find(bob)).toMatchObject({ who: bob, usage: [] })
    expect((await find({ user: 'bob' }))['who']).toBe(bob)
  })
})
