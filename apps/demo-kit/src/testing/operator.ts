import { expect, it } from 'vitest'

import type { Feed } from '../live/feed.ts'
import type { Bench } from './bench.ts'
import { drained } from './bench.ts'

const PAGES = ['/metrics', '/live/', '/live/feed', '/live/page.js', '/live/take', '/debug/explain']
const HOSTILE = `<img src=x onerror="alert('1')">&"'`

/** Tests of an app without an operator. */
export function unoperated(bench: Bench): void {
  it('the app has no live page and no explanations without a token', async () => {
    for (const path of PAGES) expect((await drained(bench.operate(path))).status).toBe(404)
  })
}

/** The operator's pages. */
export function operated(bench: Bench): void {
  const feed = async (): Promise<Feed> => (await (await bench.operate('/live/feed')).json()) as Feed
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0)

  it.each(PAGES)('%s needs the token', async path => {
    for (const authorization of [undefined, `Bearer ${bench.token}x`, 'Bearer', `Token ${bench.token}`]) {
      const headers = authorization === undefined ? {} : { Authorization: authorization }
      const refused = await bench.get(path, undefined, headers)
      expect([refused.status, await refused.text()]).toEqual([401, 'Who are you?\n'])
      expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /)
    }
  })

  it('a browser may send the token as a password', async () => {
    const basic = (password: string): Promise<Response> =>
      drained(bench.get('/live/', undefined, { Authorization: `Basic ${btoa(`me:${password}`)}` }))
    expect((await basic(bench.token)).status).toBe(200)
    expect((await basic('me')).status).toBe(401)
  })

  it('ten wrong tokens per minute get 401, more get 429, and the right one always passes', async () => {
    expect(new Set(await bench.statuses(30, () => bench.operate('/live/feed')))).toEqual(new Set([200]))
    const wrong = await bench.statuses(12, () => bench.operate('/live/feed', 'wrong'))
    expect(wrong.filter(status => status === 401)).toHaveLength(10)
    expect(wrong.slice(10)).toEqual([429, 429])
  })

  it('the operator passes from an address whose limit is used up, and a browser is asked for the token', async () => {
    await bench.statuses(30, () => bench.operate('/live/feed', 'wrong'))
    expect(await bench.statuses(3, () => bench.operate('/live/feed'))).toEqual([200, 200, 200])
    const asked = await drained(bench.get('/live/'))
    expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic /),
    ])
    expect((await drained(bench.operate('/live/feed', 'wrong'))).status).toBe(429)
  })

  it('an explanation comes as text or as data, and consumes nothing', async () => {
    await bench.statuses(4, () => bench.get('/quotes', 'ann@acme'))
    await bench.statuses(4, () => bench.get('/quotes', 'ben@acme'))
    const of = { 'X-Demo-User': 'ann@acme' }
    const text = await bench.operate('/debug/explain', bench.token, { ...of, Accept: 'text/plain' })
    const said = await text.text()
    expect(said).toMatch(/^Refused: quota-exceeded \(company_month\)/)
    expect(said).toContain('free_plan (token-bucket) for "user:ann@acme"')
    const data = await bench.operate('/debug/explain', bench.token, of)
    expect(await data.json()).toMatchObject({
      decision: { allowed: false, reason: 'quota-exceeded', policy: 'company_month' },
    })
    const again = await bench.operate('/debug/explain', bench.token, { 'X-Demo-User': 'new@acme' })
    expect(JSON.stringify(await again.json())).toContain('"remaining":5')
  })

  it('the page may load nothing from elsewhere and run nothing inline', async () => {
    const page = await bench.operate('/live/')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = page.headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    const html = await page.text()
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!)
    expect(named.length).toBeGreaterThan(2)
    for (const name of named) expect((await drained(bench.operate(`/live/${name}`))).status).toBe(200)
    expect(html).not.toMatch(/<script>|style=|onclick/)
    const bare = await fetch(`${bench.app.url}/live`, {
      headers: { Authorization: `Bearer ${bench.token}` },
      redirect: 'manual',
    })
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/live/'])
    for (const path of ['/live/../package.json', '/live/%2e%2e/package.json', '/live/nothing'])
      expect((await drained(bench.operate(path))).status).toBe(404)
  })

  it('the feed holds allowed and refused requests by policy and by key, and shows no key', async () => {
    await bench.statuses(7, () => bench.get('/quotes', HOSTILE))
    const { counts, policies, refusedKeys, store } = await feed()
    expect(sum(counts.refused)).toBe(2)
    expect(sum(counts.allowed)).toBeGreaterThanOrEqual(5)
    expect(policies.find(({ policy }) => policy === 'free_plan')).toMatchObject({
      allowed: 5,
      refused: 2,
      limit: 5,
      remaining: 0,
    })
    expect(refusedKeys).toHaveLength(1)
    expect(refusedKeys[0]).toMatchObject({ refused: 2, policy: 'free_plan', reason: 'limited' })
    expect(refusedKeys[0]?.key).toMatch(/^user #[0-9a-f]{8}$/)
    expect(store).toMatchObject({ decides: 'store', errors: 0 })
    expect(JSON.stringify(await feed())).not.toContain('onerror')
  })

  it('Prometheus gets the counts, and no key', async () => {
    await bench.statuses(7, () => bench.get('/quotes', HOSTILE))
    const metrics = await bench.operate('/metrics')
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = (await metrics.text()).split('\n')
    const blocked = lines.filter(line => line.startsWith('halt_blocked_total{'))
    expect(blocked).toContain('halt_blocked_total{policy="free_plan",reason="limited"} 2')
    expect(lines.join('\n')).not.toMatch(/onerror|user:/)
  })

  it('the bucket can be drained, but not by other sites through a browser', async () => {
    expect((await feed()).bucket).toEqual({ limit: 10, perSecond: 1, remaining: 10 })
    const take = (units: string): Promise<Response> =>
      fetch(`${bench.app.url}/live/take`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${bench.token}`, ...(units && { 'X-Halt-Take': units }) },
      })
    expect(await (await take('7')).json()).toMatchObject({ allowed: true, remaining: 3 })
    expect(await (await take('5')).json()).toMatchObject({ allowed: false, retryAfter: 2 })
    expect((await feed()).bucket.remaining).toBe(3)
    bench.clock.advance('2s')
    expect((await feed()).bucket.remaining).toBe(5)
    for (const units of ['', '0', '11', '1.5', 'x']) expect((await drained(take(units))).status).toBe(400)
  })
}
