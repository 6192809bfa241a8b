import { connect } from 'node:net'

import { HaltError, type HaltWarning, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { operator } from '../src/index.ts'
import { openSite, type Site } from './site.ts'

let site: Site
afterEach(async () => {
  vi.useRealTimers()
  await site.close()
})

const CALLS = ['about', 'feed', 'find', 'standing', 'act'] as const

describe('authorize', () => {
  it.each([
    ['undefined', () => undefined, 401],
    ['false', () => false as const, 403],
    ['an empty name', () => ' ', 401],
    ['a number', () => 7 as unknown as string, 401],
    ['an error', () => Promise.reject(new Error('no session store')), 500],
  ])('an authorize that gives %s refuses page, files and calls', async (_name, authorize, status) => {
    site = await openSite({ authorize })
    for (const path of ['', 'files/main.js', 'files/nothing.js']) {
      const response = await fetch(site.page + path)
      expect([response.status, await response.json()]).toMatchObject([
        status,
        { error: { code: 'HALT_E_OPERATOR_DENIED' } },
      ])
    }
    for (const name of CALLS) expect((await site.call(name)).status).toBe(status)
    expect(await site.control.history()).toEqual([])
  })

  it('an authorize that never answers refuses after five seconds', async () => {
    const page = operator({ ...(await parts()), authorize: () => new Promise(() => {}) })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const asked = page(new Request('http://x/halt/'))
    await vi.advanceTimersByTimeAsync(5_000)
    const response = await asked
    expect([response.status, await response.json()]).toMatchObject([
      500,
      { error: { code: 'HALT_E_OPERATOR_DENIED' } },
    ])
    page.close()
  })

  it('an authorize that fails tells nobody why, and the log everything', async () => {
    const url = 'postgres://app:hunter2@db.internal/app'
    for (const authorize of [
      () => Promise.reject(new Error(`connect ${url}`)),
      () => {
        throw new HaltError('HALT_E_STORE', `connect ${url}`, url)
      },
    ]) {
      const warnings: HaltWarning[] = []
      const store = new InMemoryStore()
      const warn = (warning: HaltWarning): void => void warnings.push(warning)
      const limiter = new RateLimiter({ store, policy: { name: 'a', limit: 1, window: 1 }, warn })
      site = await openSite({ authorize, limiters: [limiter] })
      for (const path of ['', 'files/main.js']) {
        const response = await fetch(site.page + path)
        expect(response.status).toBe(500)
        expect(await response.text()).not.toMatch(/hunter2|internal|postgres/)
      }
      expect(warnings).toMatchObject([{ code: 'HALT_W_CALLBACK', message: expect.stringContaining(url) }])
      await site.close()
    }
  })

  it('authorize may answer by itself, and nobody caches its answer', async () => {
    const authorize = (): Response =>
      new Response('who?', { status: 401, headers: { 'www-authenticate': 'Basic realm="Halt"' } })
    site = await openSite({ authorize })
    const response = await fetch(site.page)
    expect([response.status, await response.text()]).toEqual([401, 'who?'])
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="Halt"')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('authorize may answer each request by one constant response', async () => {
    const denied = new Response('not you', { status: 403 })
    site = await openSite({ authorize: () => denied })
    for (let i = 0; i < 3; i++) {
      const response = await fetch(site.page)
      expect([response.status, await response.text()]).toEqual([403, 'not you'])
    }
  })

  it('authorize gets the request of the framework, and is asked at every act', async () => {
    const seen: string[] = []
    let name: string | undefined = 'ann'
    site = await openSite({
      authorize: ({ method }, req) => {
        seen.push(`${method} ${req.socket.remoteAddress} ${req.url}`)
        return name
      },
    })
    const block = { act: 'block', whom: { user: 'x' }, reason: 'abuse', confirmed: true }
    expect((await site.call('act', block)).status).toBe(200)
    name = undefined
    expect((await site.call('act', { ...block, act: 'unblock' })).status).toBe(401)
    expect(seen).toEqual(['POST 127.0.0.1 /halt/api/act', 'POST 127.0.0.1 /halt/api/act'])
    expect(await site.control.entries()).toMatchObject([{ kind: 'block', target: 'user:x', by: 'ann' }])
  })
})

describe('a call of another site', () => {
  it.each([
    ['without the header of the page', { 'x-halt-operator': undefined }],
    ['that the browser tells of', { 'sec-fetch-site': 'cross-site' }],
    ['of another subdomain', { 'sec-fetch-site': 'same-site' }],
    ['with another origin', { origin: 'https://evil.example' }],
    ['with the origin null', { origin: 'null' }],
  ])('a call %s is refused, and does nothing', async (_name, headers) => {
    site = await openSite()
    const own = { 'content-type': 'application/json', 'x-halt-operator': '1' }
    const sent = Object.entries({ ...own, ...headers }).filter(([, value]) => value !== undefined)
    for (const name of CALLS) {
      const response = await fetch(`${site.page}api/${name}`, {
        method: 'POST',
        headers: sent as [string, string][],
        body: JSON.stringify({ act: 'block', whom: { user: 'x' }, reason: 'abuse', confirmed: true }),
      })
      expect([response.status, ((await response.json()) as any).error.code]).toEqual([
        403,
        'HALT_E_OPERATOR_ORIGIN',
      ])
    }
    expect(await site.control.entries()).toEqual([])
  })

  it('a call of the page itself passes, also behind a proxy of another origin', async () => {
    site = await openSite()
    const origin = new URL(site.page).origin
    expect((await site.call('about', {}, { origin })).status).toBe(200)
    const proxied = { origin: 'https://admin.example', 'sec-fetch-site': 'same-origin' }
    expect((await site.call('about', {}, proxied)).status).toBe(200)
  })
})

describe('a host', () => {
  const own = { 'content-type': 'application/json', 'x-halt-operator': '1' }
  const act = JSON.stringify({ act: 'block', whom: { user: 'x' }, reason: 'abuse', confirmed: true })

  /** What the page answers to an act that a browser sends to a host. */
  async function actFor(host: string, headers: Record<string, string>, hosts?: string[]): Promise<number> {
    const page = operator({ ...(await parts()), authorize: () => 'ann', hosts })
    const sent = { ...own, host, ...headers }
    const response = await page(
      new Request(`http://${host}/halt/api/act`, { method: 'POST', headers: sent, body: act }),
    )
    if (response.status === 403)
      expect(await response.json()).toMatchObject({ error: { code: 'HALT_E_OPERATOR_ORIGIN' } })
    page.close()
    await site.close()
    return response.status
  }

  it('a name that another site has made lead here cannot act by plain HTTP, even where authorize admits everybody', async () => {
    for (const host of ['evil.example', 'evil.example:3000', 'localhost.evil.example'])
      expect([host, await actFor(host, { origin: `http://${host}` })]).toEqual([host, 403])
  })

  it('an address, localhost, HTTPS and a call without a browser pass without hosts', async () => {
    for (const host of ['127.0.0.1:3000', '10.0.0.7', '[::1]:3000', 'localhost:3000', 'halt.localhost'])
      expect([host, await actFor(host, { origin: `http://${host}` })]).toEqual([host, 200])
    expect(await actFor('ops.example', { origin: 'https://ops.example' })).toBe(200)
    expect(
      await actFor('ops.example', { origin: 'https://ops.example', 'sec-fetch-site': 'same-origin' }),
    ).toBe(200)
    expect(await actFor('ops.internal', {})).toBe(200)
  })

  it('a host that hosts lists passes, and every other is refused, the page included', async () => {
    // Browsers leave the port of HTTP out.
    const hosts = ['ops.internal', 'Ops.Example:8443', 'desk.internal:80']
    for (const host of ['ops.internal', 'ops.internal:3000', 'ops.example:8443', 'desk.internal'])
      expect([host, await actFor(host, { origin: `http://${host.toLowerCase()}` }, hosts)]).toEqual([
        host,
        200,
      ])
    for (const host of ['evil.example', 'ops.example', 'ops.internal.evil.example', '127.0.0.1:3000'])
      expect([host, await actFor(host, {}, hosts)]).toEqual([host, 403])
    const page = operator({ ...(await parts()), authorize: () => 'ann', hosts })
    expect((await page(new Request('http://evil.example/halt/'))).status).toBe(403)
    expect((await page(new Request('http://ops.internal/halt/'))).status).toBe(200)
    page.close()
  })
})

describe('the page', () => {
  it('the page is not cached, framed or sniffed, and runs nothing inline', async () => {
    site = await openSite()
    const page = await fetch(site.page)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
    const html = await page.text()
    expect(html).not.toMatch(/<script>|style=|onclick|https?:/)
    const files = [...html.matchAll(/(?:src|href)="(files\/[^"]+)"/g)].map(([, name]) => name!)
    expect(files.length).toBeGreaterThan(6)
    for (const name of [...files, 'files/uplot.js']) {
      const file = await fetch(site.page + name)
      expect([name, file.status]).toEqual([name, 200])
      for (const [header, value] of [
        ['cache-control', 'no-store'],
        ['x-content-type-options', 'nosniff'],
        ['referrer-policy', 'no-referrer'],
      ] as const)
        expect(file.headers.get(header)).toBe(value)
      await file.arrayBuffer()
    }
  })

  it('the page sends no other file', async () => {
    site = await openSite()
    for (const path of [
      'files/nothing.js',
      'files/uplot.d.ts',
      'files/..%2fpackage.json',
      'files/package.json',
    ])
      expect([path, (await fetch(site.page + path, { redirect: 'manual' })).status]).not.toContain(200)
  })

  it('the page is found without the slash at its end, by an address that leads to no other site', async () => {
    const page = operator({ ...(await parts()), authorize: () => 'ann' })
    for (const [url, to] of [
      ['http://x/halt', './halt/'],
      ['http://x//evil.example', './evil.example/'],
      ['http://x/javascript:alert(1)', './javascript:alert(1)/'],
    ] as const) {
      const response = await page(new Request(url))
      expect([response.status, response.headers.get('location')]).toEqual([308, to])
    }
    page.close()
  })

  it('the page survives methods and paths that Fetch does not know', async () => {
    site = await openSite()
    const { hostname, port } = new URL(site.page)
    const statusOf = async (line: string): Promise<string> => {
      const socket = connect(Number(port), hostname)
      socket.end(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      let answer = ''
      for await (const chunk of socket.setEncoding('latin1')) answer += String(chunk)
      return answer.slice(9, 12)
    }
    expect(await statusOf('TRACE /halt/')).toBe('405')
    expect(await statusOf('PROPFIND /halt/api/feed')).toBe('405')
    for (const path of ['//', '/\\\\evil/', '/%', '/halt/files/%00', '*', 'http://evil.example/halt/'])
      expect([path, await statusOf(`GET ${path}`)]).toEqual([path, expect.stringMatching(/200|308|404/)])
    expect((await fetch(site.page)).status).toBe(200)
  })

  it('the page answers only GET, and its calls only POST', async () => {
    site = await openSite()
    expect((await fetch(site.page, { method: 'PUT' })).status).toBe(405)
    expect(await (await fetch(site.page, { method: 'HEAD' })).text()).toBe('')
    const got = await fetch(`${site.page}api/feed`, { headers: { 'x-halt-operator': '1' } })
    expect([got.status, await got.json()]).toMatchObject([400, { error: { code: 'HALT_E_OPERATOR' } }])
  })
})

async function parts() {
  site = await openSite()
  return { limiters: [site.limiter], control: site.control }
}
