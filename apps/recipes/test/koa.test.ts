import { describe, expect, it } from 'vitest'

import { servedBy } from './page.ts'

const url = servedBy('koa')

describe('docs/recipes/koa.md', () => {
  it('the app refunds a response that chargeWhen does not count', async () => {
    expect((await fetch(`${url('koa')}/unchanged`)).status).toBe(304)
    const answer = await fetch(url('koa'))
    expect(answer.headers.get('ratelimit')).toContain('r=2')
    expect(await answer.json()).toEqual({ left: 2 })
  })

  it('the answer to an error has the headers of the limit', async () => {
    const answer = await fetch(`${url('koa')}/broken`)
    expect([answer.status, await answer.text()]).toEqual([409, 'conflict'])
    expect(answer.headers.get('ratelimit')).toContain('r=2')
  })

  it('a client over the limit gets 429 with Retry-After and the default body', async () => {
    for (let i = 0; i < 3; i++) expect((await fetch(url('koa'))).status).toBe(200)
    const refused = await fetch(url('koa'))
    const wait = Number(refused.headers.get('retry-after'))
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([429, 'no-store'])
    expect(refused.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(wait).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded', retry_after: wait })
  })
})
