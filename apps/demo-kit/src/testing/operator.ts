import { expect, it } from 'vitest'

import type { Bench } from './bench.ts'
import { drained } from './bench.ts'

const PAGES = ['/metrics', '/operator/', '/operator/api/feed', '/operator/files/main.js', '/debug/explain']
const HOSTILE = `<img src=x onerror="alert('1')">&"'`

/** Tests of an app without an operator. */
export function unoperated(bench: Bench): void {
  it('the app has no page for operators and no explanations without a token', async () => {
    for (const path of PAGES) expect((await drained(bench.operate(path))).status).toBe(404)
  })
}

/** The operator's pages. */
export function operated(bench: Bench): void {
  const call = async (name: string, body: object = {}): Promise<Record<string, unknown>> => {
    const response = await fetch(`${bench.app.url}/operator/api/${name}`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${bench.token}`,
        'Content-Type': 'application/json',
        'X-Halt-Operator': '1',
      },
      body: JSON.stringify(body),
    })
    return (await response.json()) as Record<string, unknown>
  }

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
      drained(bench.get('/operator/', undefined, { Authorization: `Basic ${btoa(`me:${password}`)}` }))
    expect((await basic(bench.token)).status).toBe(200)
    expect((await basic('me')).status).toBe(401)
  })

  it('ten wrong tokens per minute get 401, more get 429, and the right one always passes', async () => {
    expect(new Set(await bench.statuses(30, () => bench.operate('/operator/')))).toEqual(new Set([200]))
    const wrong = await bench.statuses(12, () => bench.operate('/operator/', 'wrong'))
    expect(wrong.filter(status => status === 401)).toHaveLength(10)
    expect(wrong.slice(10)).toEqual([429, 429])
  })

  it('the operator passes from an address whose limit is used up, and a browser is asked for the token', async () => {
    await bench.statuses(30, () => bench.operate('/operator/', 'wrong'))
    expect(await bench.statuses(3, () => bench.operate('/operator/'))).toEqual([200, 200, 200])
    const asked = await drained(bench.get('/operator/'))
    expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringMatching(/^Basic /),
    ])
    expect((await drained(bench.operate('/operator/', 'wrong'))).status).toBe(429)
  })

  it('an explanation comes to an operator whose address has used up the limit of the app', async () => {
    const statuses = await bench.statuses(150, () => bench.get('/quotes'))
    expect(statuses).toContain(429)
    const answers = await bench.statuses(3, () => bench.operate('/debug/explain'))
    expect(answers).toEqual([200, 200, 200])
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

  it('the page and its files are there, with the numbers of the app', async () => {
    const page = await bench.operate('/operator/')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await page.text()
    for (const [, name] of html.matchAll(/(?:src|href)="(files[^"]+)"/g))
      expect([name, (await drained(bench.operate(`/operator/${name}`))).status]).toEqual([name, 200])
    await call('feed')
    await bench.statuses(7, () => bench.get('/quotes', 'ann'))
    const { policies, refused } = await call('feed')
    expect(policies).toContainEqual(expect.objectContaining({ policy: 'free_plan', allowed: 5, refused: 2 }))
    expect(refused).toMatchObject([{ key: 'user:ann', count: 2, policy: 'free_plan' }])
  })

  it('the page finds, blocks and frees a client', async () => {
    await bench.statuses(6, () => bench.get('/quotes', 'ann'))
    const whom = { user: 'ann' }
    const { limiters } = await call('find', { whom })
    expect(limiters).toContainEqual(expect.objectContaining({ allowed: false, reason: 'limited' }))
    const reset = { act: 'reset', whom, reason: 'a test', confirmed: true }
    expect((await call('act', reset))['says']).toMatch(/^\d counters? of user:ann/)
    expect((await drained(bench.get('/quotes', 'ann'))).status).toBe(200)
    const block = { act: 'block', whom, for: '1h', reason: 'a test', confirmed: true }
    const { undo } = await call('act', block)
    expect((await drained(bench.get('/quotes', 'ann'))).status).toBe(429)
    await call('act', { ...(undo as object), reason: 'a test', confirmed: true })
    expect((await drained(bench.get('/quotes', 'ann'))).status).toBe(200)
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
}
