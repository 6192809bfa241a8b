import { describe, expect, it } from 'vitest'

import { QuotaManager, type Quota } from '../../src/index.ts'
import { type ErrorFormat, guard } from '../../src/http/index.ts'
import { by, world } from '../world.ts'

const day: Quota = { name: 'day', limit: 10, period: 'daily', status: 402 }
const SENTENCE = 'Requests that are still running hold the rest of the budget. Please try again later.'

describe('a budget of which running calls hold the rest', () => {
  it.each(['json', 'detailed', 'problem'] as const)(
    'a request gets 429 with Retry-After, and a sentence that says so, as %s',
    async (errorFormat: ErrorFormat) => {
      const limiter = world().limiter(day)
      await limiter.reserve(by('42'), { cost: 10, ttl: '60s' })
      const { status, headers, body } = await guard(limiter, { errorFormat, headers: 'draft-11' }).enter(
        by('42'),
      )
      const wait = Number(headers['Retry-After'])
      expect([status, wait >= 60, wait <= 75]).toEqual([429, true, true])
      expect(body?.data).toMatchObject({ retry_after: wait })
      expect(body?.data['message'] ?? body?.data['detail']).toBe(
        errorFormat === 'detailed'
          ? `Requests that are still running hold the rest of the day's calls. Try again in ${wait} seconds.`
          : SENTENCE,
      )
      expect(body?.data['reason']).toBe(errorFormat === 'detailed' ? 'held' : undefined)
    },
  )

  it('the reason is "held", in explain too, until the budget is really used up', async () => {
    const limiter = world().limiter(day)
    const call = await limiter.reserve({ user: '42' }, { cost: 8, ttl: '60s' })
    expect(await limiter.consume({ user: '42' }, { cost: 3 })).toMatchObject({ reason: 'held', remaining: 2 })
    expect(await limiter.consume({ user: '42' }, { cost: 11 })).toMatchObject({
      reason: 'cost-exceeds-limit',
    })
    await limiter.consume({ user: '42' }, { cost: 2 })
    expect(String(await limiter.explain({ user: '42' }))).toContain('held')
    await call.settle(8)
    expect((await limiter.consume({ user: '42' })).reason).toBe('quota-exceeded')
    expect((await guard(limiter).enter(by('42'))).status).toBe(402)
  })

  it('a call that needs more gets "held" where others hold the rest, and "quota-exceeded" where it is used', async () => {
    const limiter = world().limiter(day)
    const [own, other] = [
      await limiter.reserve({ user: '42' }, { cost: 5, ttl: '60s' }),
      await limiter.reserve({ user: '42' }, { cost: 5, ttl: '60s' }),
    ]
    expect([await own.charge(6), own.refusal?.reason]).toEqual([false, 'held'])
    await other.settle(5)
    expect([await own.charge(6), own.refusal?.reason]).toEqual([false, 'quota-exceeded'])
  })

  it('a cost that only a top-up allows is "held" while calls hold the top-up', async () => {
    const { store, limiter } = world()
    await new QuotaManager(store).grantQuota('42', day, 10)
    const own = limiter(day)
    await own.reserve({ user: '42' }, { cost: 9, ttl: '60s' })
    const refused = await own.consume({ user: '42' }, { cost: 12 })
    expect([refused.reason, refused.retryAfter <= 75]).toEqual(['held', true])
  })

  it('no hook says that the quota is exceeded, because it is not', async () => {
    const { limiter, store } = world()
    const said: string[] = []
    const telemetry = {
      onBlocked: (_key: string, { reason }: { reason: string }) => said.push(reason),
      onQuotaExceeded: () => said.push('exceeded'),
      onQuotaThreshold: () => said.push('threshold'),
    }
    const own = limiter(day, { telemetry })
    await own.reserve({ user: '42' }, { cost: 10, ttl: '60s' })
    await own.consume({ user: '42' })
    await new QuotaManager(store, { telemetry }).consumeQuota('42', day)
    expect(said).toEqual(['held'])
  })
})
