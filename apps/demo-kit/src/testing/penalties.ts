import { PenaltyManager } from '@halt/core'
import { expect, it } from 'vitest'

import { PENALTY } from '../policies.ts'
import { type Bench, drained, seen } from './bench.ts'

/** Smaller limits for a client that is refused again and again. */
export function penalties(bench: Bench): void {
  const { recordOn: _, ...config } = PENALTY
  const score = async (identity: { user: string } | { ip: string }): Promise<number> =>
    (await new PenaltyManager({ store: bench.store, config }).getPenalty(identity)).abuseScore

  it('a client that is refused in three different seconds gets half of its limit for ten seconds', async () => {
    await bench.statuses(5, () => bench.get('/quotes', 'eve'))
    // Many refusals in one second count once.
    for (let i = 0; i < 5; i++) {
      const refused = await bench.get('/quotes', 'eve')
      expect([refused.status, seen(refused)[0]]).toEqual([429, 5])
      expect(((await refused.json()) as { type: string }).type).toMatch(/#quota-exceeded$/)
    }
    expect(await score({ user: 'eve' })).toBe(1)
    bench.clock.advance('1s')
    expect(await bench.statuses(2, () => bench.get('/quotes', 'eve'))).toEqual([200, 429])
    bench.clock.advance('1s')
    expect(await bench.statuses(1, () => bench.get('/quotes', 'eve'))).toEqual([200])
    const again = await bench.get('/quotes', 'eve')
    expect([again.status, seen(again)[0]]).toEqual([429, 2])
    expect(((await again.json()) as { type: string }).type).toMatch(/#abnormal-usage-detected$/)
    bench.clock.advance('9s')
    expect(seen(await drained(bench.get('/quotes', 'eve')))[0]).toBe(2)
    bench.clock.advance('2s')
    expect(seen(await drained(bench.get('/quotes', 'eve')))[0]).toBe(5)
  })

  it("never raises the score of a user's address, nor anybody else's", async () => {
    const before = seen(await drained(bench.get('/quotes')))[0]
    for (let i = 0; i < 4; i++) {
      await bench.statuses(8, () => bench.get('/quotes', 'eve'))
      bench.clock.advance('1s')
    }
    expect(await score({ user: 'eve' })).toBeGreaterThanOrEqual(3)
    expect(await score({ ip: '127.0.0.1' })).toBe(0)
    expect(seen(await drained(bench.get('/quotes')))[0]).toBe(before)
    expect(seen(await drained(bench.get('/quotes', 'ann')))).toEqual([5, 4])
  })
}
