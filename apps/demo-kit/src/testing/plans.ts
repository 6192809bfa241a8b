import { expect, it } from 'vitest'

import { type Bench, drained, seen } from './bench.ts'

/** A user's plan, changed at run time. */
export function plans(bench: Bench): void {
  it('an upgrade applies from the next request on, and keeps what was used', async () => {
    expect(await bench.statuses(6, () => bench.get('/quotes', 'ann'))).toEqual([200, 200, 200, 200, 200, 429])
    expect((await drained(bench.post('/plan', { plan: 'pro' }, 'ann'))).status).toBe(200)
    const upgraded = await drained(bench.get('/quotes', 'ann'))
    expect([upgraded.status, ...seen(upgraded)]).toEqual([200, 50, 44])
    // Another user's plan stays the same.
    expect(seen(await drained(bench.get('/quotes', 'bob')))).toEqual([5, 4])
  })

  it('a downgrade keeps what was used, so a change up and down gains nothing', async () => {
    await drained(bench.post('/plan', { plan: 'pro' }, 'ann'))
    await bench.statuses(4, () => bench.get('/quotes', 'ann'))
    for (const plan of ['free', 'pro', 'free']) await drained(bench.post('/plan', { plan }, 'ann'))
    expect(await bench.statuses(2, () => bench.get('/quotes', 'ann'))).toEqual([200, 429])
  })

  it('an unknown plan, and a plan without a user, are refused', async () => {
    for (const plan of ['gold', 'constructor', 7, null]) {
      expect((await drained(bench.post('/plan', { plan }, 'ann'))).status).toBe(400)
    }
    expect((await drained(bench.post('/plan', { plan: 'pro' }))).status).toBe(400)
  })
}
