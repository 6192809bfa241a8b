import { expect, it } from 'vitest'

import { type Bench, drained, seen } from './bench.ts'

/** A user's plan, changed at run time. */
export function plans(bench: Bench): void {
  it('upgrades a plan from the next request on, and keeps what was used', async () => {
    expect(await bench.statuses(6, () => bench.get('/quotes', 'ann'))).toEqual([200, 200, 200, 200, 200, 429])
    expect((await drained(bench.post('/plan', { plan: 'pro' }, 'ann'))).status).toBe(200)
    const upgraded = await drained(bench.get('/quotes', 'ann'))
    expect([upgraded.status, ...seen(upgraded)]).toEqual([200, 50, 44])
    // Another user's stays what it is.
    expect(seen(await drained(bench.get('/quotes', 'bob')))).toEqual([5, 4])
  })

  it('keeps what was used on the way down: going up and down mints nothing', async () => {
    await drained(bench.post('/plan', { plan: 'pro' }, 'ann'))
    await bench.statuses(4, () => bench.get('/quotes', 'ann'))
    for (const plan of ['free', 'pro', 'free']) await drained(bench.post('/plan', { plan }, 'ann'))
    expect(await bench.statuses(2, () => bench.get('/quotes', 'ann'))).toEqual([200, 429])
  })

  it('knows no other plan, and no plan of nobody', async () => {
    for (const plan of ['gold', 'constructor', 7, null]) {
      expect((await drained(bench.post('/plan', { plan }, 'ann'))).status).toBe(400)
    }
    expect((await drained(bench.post('/plan', { plan: 'pro' }))).status).toBe(400)
  })
}
