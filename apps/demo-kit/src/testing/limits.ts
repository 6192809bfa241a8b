import { expect, it } from 'vitest'

import { type Bench, drained, seen } from './bench.ts'

/** Limits for everybody, for users and for passwords. */
export function limits(bench: Bench): void {
  it('an address gets 120 requests at once and 100 per minute', async () => {
    const nothing = (): Promise<Response> => bench.post('/plan', {})
    const found = await bench.statuses(121, nothing)
    expect(found.filter(status => status === 429).length).toBe(1)
    expect(found.at(-1)).toBe(429)
    bench.clock.advance('600ms')
    expect(await bench.statuses(2, nothing)).toEqual([400, 429])
  })

  it('each user gets five requests in four seconds', async () => {
    expect(await bench.statuses(6, () => bench.get('/quotes', 'ann'))).toEqual([200, 200, 200, 200, 200, 429])
    expect(await bench.statuses(1, () => bench.get('/quotes', 'bob'))).toEqual([200])
  })

  it('a refusal names the policy and the wait, and the user passes after it', async () => {
    await bench.statuses(5, () => bench.get('/quotes', 'ann'))
    const refused = await bench.get('/quotes', 'ann')
    expect([refused.status, ...seen(refused)]).toEqual([429, 5, 0])
    expect(await refused.json()).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many requests. Please try again later.',
      retry_after: 1,
      'violated-policies': ['free_plan'],
    })
    bench.clock.advance(Number(refused.headers.get('retry-after')))
    expect((await drained(bench.get('/quotes', 'ann'))).status).toBe(200)
  })

  it('a report costs as much as five quotes', async () => {
    const report = await drained(bench.get('/reports', 'ann'))
    expect([report.status, ...seen(report)]).toEqual([200, 5, 0])
    expect((await drained(bench.get('/quotes', 'ann'))).status).toBe(429)
  })

  it('the login takes three passwords, then none for three seconds, not even the right one', async () => {
    const login = (password: string): Promise<Response> => bench.post('/auth/login', { password })
    expect(await bench.statuses(4, () => login('guess'))).toEqual([401, 401, 401, 429])
    bench.clock.advance('2900ms')
    const blocked = await drained(login('correct horse'))
    expect([blocked.status, blocked.headers.get('retry-after')]).toEqual([429, '1'])
    bench.clock.advance('100ms')
    expect((await drained(login('correct horse'))).status).toBe(200)
  })

  it('the health check is never counted', async () => {
    const health = await bench.statuses(130, () => bench.get('/health'))
    expect(health.every(status => status === 200)).toBe(true)
    expect(seen(await drained(bench.get('/quotes', 'ann')))).toEqual([5, 4])
  })
}
