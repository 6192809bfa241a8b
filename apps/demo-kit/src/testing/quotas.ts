import { QuotaManager } from '@halt/core'
import { expect, it } from 'vitest'

import { COMPANY_MONTH } from '../policies.ts'
import { type Bench, drained, seen } from './bench.ts'

/** A company's monthly quota, beside each user's own limit. */
export function quotas(bench: Bench): void {
  const used = async (company: string): Promise<number> =>
    (await new QuotaManager(bench.store).checkQuota({ custom: company }, COMPANY_MONTH)).quota.used

  it('the quota runs out for all users of a company, whatever each of them has left', async () => {
    await bench.statuses(4, () => bench.get('/quotes', 'ann@acme'))
    await bench.statuses(4, () => bench.get('/quotes', 'ben@acme'))
    expect(await used('acme')).toBe(8)
    for (const user of ['ann@acme', 'ben@acme', 'new@acme']) {
      const refused = await bench.get('/quotes', user)
      expect([refused.status, ...seen(refused)]).toEqual([429, 8, 0])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(4)
      expect(await refused.json()).toMatchObject({ 'violated-policies': ['company_month'] })
    }
    expect(await bench.statuses(1, () => bench.get('/quotes', 'ann@other'))).toEqual([200])
    expect(await bench.statuses(1, () => bench.get('/quotes', 'ann'))).toEqual([200])
  })

  it('the quota and the user limit are decided together: both are charged or neither', async () => {
    expect(await bench.statuses(6, () => bench.get('/quotes', 'ann@acme'))).toEqual([
      200, 200, 200, 200, 200, 429,
    ])
    // The plan refused the sixth request, so the quota counts five.
    expect(await used('acme')).toBe(5)
    // A report costs five, more than the quota has left. So the plan is not charged either.
    expect(await bench.statuses(1, () => bench.get('/reports', 'ben@acme'))).toEqual([429])
    expect(seen(await drained(bench.get('/quotes', 'ben@acme')))).toEqual([8, 2])
    expect(await bench.statuses(3, () => bench.get('/quotes', 'ben@acme'))).toEqual([200, 200, 429])
  })

  it('the quota admits exactly what is left when all users come at once', async () => {
    const asked = Array.from({ length: 20 }, (_, i) => drained(bench.get('/quotes', `user-${i}@acme`)))
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.filter(status => status === 200)).toHaveLength(8)
    expect(await used('acme')).toBe(8)
  })
}
