import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { findBrowser } from '../../../tools/find-browser.mjs'
import type { Feed } from '../src/live/feed.ts'
import { openSite, type Site } from './live-site.ts'

const executablePath = findBrowser()
const why = executablePath === undefined ? ' (skipped: no Chromium; `npm run setup` or CHROMIUM_PATH)' : ''
const HOSTILE = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\n'&amp;`

describe.skipIf(executablePath === undefined)(`the live page in Chromium${why}`, () => {
  let browser: Browser
  let site: Site
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    // Runs without a sandbox, which needs rights that containers lack. The page is our own.
    browser = await puppeteer.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    site = await openSite()
    page = await browser.newPage()
    complaints = []
    // Collects every error of the page: scripts, policies, missing files.
    page.on('console', message => complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(String(error)))
    page.on('request', request => {
      if (!request.url().startsWith(`${site.url}/live/`)) complaints.push(request.url())
    })
    await page.authenticate({ username: 'operator', password: site.token })
  })
  afterEach(async () => {
    await page.close()
    await site.close()
    vi.useRealTimers()
  })

  const open = (): Promise<unknown> => page.goto(`${site.url}/live/`)
  const text = (selector: string): Promise<string> => page.$eval(selector, found => found.textContent ?? '')
  const becomes = (selector: string, expected: string | RegExp): Promise<void> =>
    vi.waitFor(async () => expect(await text(selector)).toMatch(expected), { timeout: 30_000, interval: 100 })

  it('the page shows allowed and refused requests, the tightest policies, and refused keys as digests', async () => {
    // Nothing comes back during the test.
    vi.useFakeTimers({ toFake: ['Date'] })
    await site.ask('ann', 9)
    await open()
    await becomes('#keys', /user #[0-9a-f]{8}free_plan, limited4 refused/)
    await becomes('#policies li:first-child', /free_plan.*0 of 5 left/)
    expect(await text('#state')).toBe('Healthy: the store decides')
    expect(await text('#share')).toBe('44 %')
    expect(await text('#store')).toMatch(/Kindmemory/)
    const heights = await page.$$eval('#chart rect', bars =>
      bars.map(bar => [bar.getAttribute('class'), Number(bar.getAttribute('height'))] as const),
    )
    const of = (name: string): number =>
      heights.filter(([series]) => series === name).reduce((total, [, height]) => total + height, 0)
    // Five allowed and four refused, on an axis of ten.
    expect(of('allowed')).toBeCloseTo(85, 0)
    expect(of('refused')).toBeCloseTo(68, 0)
    expect(await page.content()).not.toContain('ann')
    expect(complaints).toEqual([])
  })

  it('the page shows an empty bar if less than a unit is left', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    await site.ask('ann', 6)
    vi.setSystemTime(Date.now() + 700)
    await open()
    await becomes('#policies li:first-child', /free_plan.*0 of 5 left/)
    expect(await page.$eval('#policies li:first-child .track i', bar => bar.getAttribute('style'))).toMatch(
      /^width: 0%/,
    )
    expect(complaints).toEqual([])
  })

  it('the page works at an address that contains the token', async () => {
    await page.authenticate(null)
    await site.ask('ann', 6)
    await page.goto(`${site.url.replace('://', `://x:${site.token}@`)}/live/`)
    await becomes('#keys', /1 refused/)
    expect(await text('#state')).toBe('Healthy: the store decides')
    await page.click('[data-take="5"]')
    await becomes('#taken', 'Took 5.')
  })

  it('the page updates while it is open', async () => {
    await open()
    await becomes('#keys', 'Nobody was refused yet.')
    await site.ask('ann@acme', 6)
    await becomes('#keys', /1 refused/)
    await site.ask('ben@acme', 3)
    await becomes('#events', /Quota company_month has reached 100 %.*custom #[0-9a-f]{8}/)
    expect(complaints).toEqual([])
  })

  it('a visitor drains the bucket and sees it refill', async () => {
    await open()
    await becomes('#level', /^10$/)
    const water = (): Promise<number> =>
      page.$eval('#bucket .water', found => Number(found.getAttribute('height')))
    const full = await water()
    await page.click('[data-take="5"]')
    await becomes('#taken', 'Took 5.')
    await becomes('#level', /^[5-9]$/)
    await page.click('[data-take="5"]')
    await becomes('#level', /^[0-3]$/)
    const low = await water()
    expect(low).toBeLessThan(full / 2)
    await page.click('[data-take="5"]')
    await becomes('#taken', /^Refused: 5 would pass in [1-5] s/)
    await becomes('#level', /^[2-9]$/)
    expect(await water()).toBeGreaterThan(low)
    expect(complaints).toEqual([])
  })

  it('the page shows that the store is away, and that it is back', async () => {
    await open()
    await becomes('#state', 'Healthy')
    site.away(true)
    await site.ask('ann', 3)
    await becomes('#state', /^Degraded: local$/)
    await becomes('#store', /Decided without it[1-9]/)
    expect(await text('#events')).toContain('The store failed')
    site.away(false)
    await vi.waitFor(
      async () => {
        await site.ask('ann')
        expect(await text('#state')).toBe('Healthy: the store decides')
      },
      { timeout: 30_000, interval: 250 },
    )
    expect(complaints).toEqual([])
  })

  it('the page shows every text of the feed as text', async () => {
    await site.ask('ann', 9)
    await page.setRequestInterception(true)
    page.on(
      'request',
      request =>
        void poison(request.url(), site.token).then(body => {
          if (body === undefined) return request.continue()
          return request.respond({ status: 200, contentType: 'application/json', body })
        }),
    )
    await open()
    await becomes('#policies', 'onerror')
    for (const part of ['#policies', '#keys', '#events', '#store', '#state'])
      expect(await text(part)).toContain('<script>window.hacked=1</script>')
    expect(await page.$$eval('main img, main script', found => found.length)).toBe(0)
    expect(await page.evaluate('window.hacked')).toBe(undefined)
  })

  it('the browser runs no injected script', async () => {
    await open()
    const hostile = [
      `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.hacked=1">')`,
      `document.head.append(Object.assign(document.createElement('script'), { text: 'window.hacked=1' }))`,
      `document.body.setAttribute('onclick', 'window.hacked=1'), document.body.click()`,
      `import('https://example.com/x.js').catch(() => {})`,
    ]
    for (const attempt of hostile) await page.evaluate(attempt).catch(() => {})
    await vi.waitFor(() => expect(complaints.join()).toMatch(/Content Security Policy/))
    expect(await page.evaluate('window.hacked')).toBe(undefined)
  })

  it('the page needs the token', async () => {
    await page.authenticate({ username: 'operator', password: 'a guess at the token' })
    const response = await page.goto(`${site.url}/live/`)
    expect(response?.status()).toBe(401)
    expect(await page.$('#chart')).toBe(null)
  })

  // HALT_SCREENSHOTS=docs/images keeps the pictures, which are those of the README.
  it('the page draws itself in light and in dark', async () => {
    await busyMinutes(site)
    await page.setViewport({ width: 1080, height: 1022 })
    await open()
    await becomes('#level', /^10$/)
    await page.click('[data-take="1"]')
    await becomes('#taken', 'Took 1.')
    await page.click('[data-take="5"]')
    await becomes('#taken', 'Took 5.')
    await page.mouse.move(0, 0)
    // The animations have ended.
    await new Promise(resolve => setTimeout(resolve, 600))
    const grounds = new Set<unknown>()
    for (const [scheme, name] of [
      ['light', 'live-page.png'],
      ['dark', 'live-page-dark.png'],
    ] as const) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      const picture = await page.screenshot()
      await writeFile(join(process.env['HALT_SCREENSHOTS'] ?? tmpdir(), name), picture)
      // An empty page is a tenth of that size.
      expect(picture.length).toBeGreaterThan(60_000)
      grounds.add(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'))
    }
    expect(grounds.size).toBe(2)
    const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    await page.setViewport({ width: 390, height: 800 })
    const narrow = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
    expect([wide, narrow]).toEqual([false, false])
    expect(complaints).toEqual([])
  })
})

/** The feed with a hostile string in every place of a string; undefined for other addresses. */
async function poison(url: string, token: string): Promise<string | undefined> {
  if (!url.endsWith('/live/feed')) return undefined
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } })
  const feed = (await response.json()) as Feed
  return JSON.stringify({
    ...feed,
    policies: feed.policies.map(tally => ({ ...tally, policy: HOSTILE, key: HOSTILE })),
    refusedKeys: feed.refusedKeys.map(top => ({ ...top, key: HOSTILE, policy: HOSTILE, reason: HOSTILE })),
    events: [{ at: feed.now, what: HOSTILE, key: HOSTILE }],
    store: { ...feed.store, kind: HOSTILE, decides: HOSTILE },
  })
}

/** Two minutes of traffic, recorded at once: a quiet service, then a client that sends too much. */
async function busyMinutes(site: Site): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'] })
  const start = Date.now() - 120_000
  const users = ['ann', 'ben', 'cat', 'dan', 'eve', 'fay@acme', 'gus@acme']
  for (let second = 0; second < 120; second++) {
    vi.setSystemTime(start + second * 1000)
    for (const [i, user] of users.entries()) if ((second * 7 + i * 5) % 11 < 3 && i < 6) await site.ask(user)
    if (second > 52 && second < 88) await site.ask('zoe', 2 + ((second * 5) % 4))
    if (second > 70 && second < 80) await site.ask('yan', 3)
    if (second > 20 && second < 24) await site.ask('xia', 4)
    if (second === 64) await site.ask('wim', 9)
    if (second === 101) await site.ask('val', 7)
    if (second % 20 === 0) await site.ask('gus@acme')
  }
  vi.useRealTimers()
}
