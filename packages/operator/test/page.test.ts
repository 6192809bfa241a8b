import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Control, UsageByUser } from '@halt/control'
import { type Quota, RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import puppeteer, { type Browser, type HTTPRequest, type Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { findBrowser } from '../../../tools/find-browser.mjs'
import { isFull } from '../../../tools/full.ts'
import { openSite, type Site } from './site.ts'

const executablePath = findBrowser()
const why = executablePath === undefined ? ' (skipped: no Chromium; `npm run setup` or CHROMIUM_PATH)' : ''
/** The state of a load shedder that sheds nothing. */
const calm = {
  mode: 'enforce',
  limit: 39.5,
  inFlight: 7,
  ageMs: 3.2,
  insideMs: 11,
  calmMs: 4,
  sheds: [],
  cause: undefined,
  sheddingMs: 0,
  limits: [],
} as const
const HOSTILE = `"><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\n'&amp;`

// Scenes that cost seconds of a browser, and whose answers other tests read without one, are left to the full form.
describe.skipIf(executablePath === undefined)(`the page in Chromium${why}`, () => {
  let browser: Browser
  let site: Site
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    // Runs without a sandbox, which needs rights that containers lack. The page is our own.
    browser = await puppeteer.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
    page = await browser.newPage()
    // Collects every error of the page: scripts, policies, missing files.
    page.on('console', message => complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(String(error)))
    page.on('request', request => {
      if (!request.url().startsWith(site.page)) complaints.push(request.url())
    })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    // An origin of its own, so that it finds nothing of the test before in the tab that all share. A new tab starts a process.
    site = await openSite({ reveal: true })
    await page.setRequestInterception(false)
    await page.emulateMediaFeatures([])
    await page.setViewport({ width: 1280, height: 900 })
    complaints = []
  })
  afterEach(async () => {
    await page.goto('about:blank')
    await site.close()
    vi.useRealTimers()
  })

  const open = (view = ''): Promise<unknown> => page.goto(`${site.page}${view}`)
  const text = (selector: string): Promise<string> => page.$eval(selector, found => found.textContent ?? '')
  const becomes = (selector: string, expected: string | RegExp): Promise<void> =>
    vi.waitFor(async () => expect(await text(selector)).toMatch(expected), { timeout: 30_000, interval: 50 })
  /** Clicks the button with a text. */
  const press = (says: string, within = 'body'): Promise<void> =>
    page
      .locator(`${within} ::-p-xpath(.//button[not(@hidden)][starts-with(normalize-space(), "${says}")])`)
      .click()
  /** Opens the form of an act. The page may draw the button anew while it is pressed, so one press may do nothing. */
  const begin = (says: string, within: string): Promise<void> =>
    vi.waitFor(
      async () => {
        if ((await page.$('#act[open]')) === null) await press(says, within)
        expect(await page.$('#act[open]')).not.toBeNull()
      },
      { timeout: 30_000, interval: 100 },
    )
  /** Completes the form of an act, and confirms it. */
  async function confirm(go: string, fields: Record<string, string>): Promise<string> {
    for (const [name, value] of Object.entries(fields)) await page.locator(`#act [name=${name}]`).fill(value)
    await press('Continue', '#act')
    await becomes('#act-says', /\w/)
    const told = await text('#act-says')
    await press(go, '#act')
    // What is done may still tell of the act before.
    await page.waitForSelector('#act:not([open])')
    return told
  }

  it('the page shows decisions, the tightest policies, the top keys and the process', async () => {
    await site.call('feed')
    await site.ask('ann', 9)
    await open()
    await becomes('#keys', /user:annper_user4/)
    await becomes('#policies li:first-child', /per_useruser:ann0 of 5 left/)
    expect(await text('#state')).toBe('Healthy: 1 process')
    expect(await text('#share')).toBe('44 %')
    expect(await text('#processes')).toMatch(/\(this\)memory/)
    expect(await text('#operator')).toBe('ann, sees keys in clear')
    await press('Most used')
    await becomes('#keys', /ip:203\.0\.113\.7per_address5/)
    expect(complaints).toEqual([])
  })

  it.runIf(isFull)('the chart shows the values below the pointer, zooms, and goes back', async () => {
    await site.call('feed')
    // All of them are decided in one second.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
    await site.ask('ann', 7)
    vi.useRealTimers()
    await open()
    await becomes('#keys', '2')
    // The second of the decisions has ended.
    await vi.waitFor(
      async () => {
        await page.focus('#chart')
        for (let i = 0; i < 30 && !/refused:?2/.test(await text('.u-legend')); i++)
          await page.keyboard.press('ArrowLeft')
        expect(await text('.u-legend')).toMatch(/refused:?2allowed:?5/)
      },
      { timeout: 30_000, interval: 300 },
    )
    const width = (): Promise<number> => page.$eval('.u-axis', axis => axis.clientWidth)
    expect(await width()).toBeGreaterThan(300)
    const { x, y } = await (await page.$('.u-over'))!.boundingBox().then(box => box!)
    await page.mouse.move(x + 300, y + 50)
    await page.mouse.down()
    await page.mouse.move(x + 500, y + 60, { steps: 4 })
    await page.mouse.up()
    await page.mouse.click(x + 100, y + 50, { count: 2 })
    expect(complaints).toEqual([])
  })

  it.runIf(isFull)('the page shows the hour before it was opened', async () => {
    await site.close()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 1_800_000 })
    site = await openSite({ reveal: true })
    await site.ask('ann', 9)
    vi.useRealTimers()
    await open()
    await becomes('#since', /^The last 30 min/)
    await press('1 h')
    // 5 allowed and 4 refused in a quarter of a minute.
    await vi.waitFor(
      async () => {
        // The middle of the hour.
        const { x, y, width } = await (await page.$('.u-over'))!.boundingBox().then(box => box!)
        for (let at = 0.46; at < 0.54 && !/allowed:?0\.3/.test(await text('.u-legend')); at += 0.003)
          await page.mouse.move(x + width * at, y + 50)
        expect(await text('.u-legend')).toMatch(/refused:?0\.3allowed:?0\.3/)
      },
      { timeout: 30_000, interval: 300 },
    )
    expect(complaints).toEqual([])
  })

  it('the page shows each plan apart, and the quota of a company that refuses', async () => {
    await site.close()
    const store = new InMemoryStore()
    const control = new Control({ store })
    const bucket = { limit: 2, window: '1h', keyStrategy: 'user', counter: 'plan' } as const
    const month = { limit: 500, period: 'monthly', anchor: aMinuteAgo() } as const
    const plans = {
      free: [
        { name: 'free', ...bucket },
        { name: 'free_month', ...month },
      ],
      pro: [
        { name: 'pro', ...bucket, limit: 200 },
        { name: 'pro_month', ...month },
      ],
    }
    const company: Quota = {
      name: 'company_month',
      limit: 30,
      period: 'monthly',
      anchor: aMinuteAgo(),
      keyExtractor: () => 'acme',
    }
    const usage = new UsageByUser({ store, policies: ['company_month'] })
    onTestFinished(() => usage.close())
    const limiter = new RateLimiter<{ plan: 'free' | 'pro'; user: { id: string } }>({
      store,
      control,
      telemetry: usage,
      policy: ({ plan }) => [...plans[plan], company],
      warn: () => {},
    })
    let plan: string | undefined
    site = await openSite({
      limiters: [{ limiter, policies: [company] }],
      control,
      plans,
      planOf: () => plan,
      reveal: true,
    })
    await limiter.check({ plan: 'free', user: { id: '42' } }, { cost: 2 })
    await limiter.check({ plan: 'pro', user: { id: '42' } }, { cost: 27 })
    await open('#find')
    await page.locator('#search [name=id]').fill('42')
    await press('Find', '#search')
    await becomes('#found', /user:42passes/)
    expect(await text('#found')).toMatch(/Plan freewould be refusednot the plan that charged it last/)
    expect(await text('#found')).toMatch(/Plan procharged last: passes/)
    expect(await text('#found')).toMatch(/custom:acmecompany_monthpasses1 of 30 left/)
    // The plan that counts stands first, the other one is folded, so that the first form is for the right plan.
    expect(await text('#found')).toMatch(/Plan pro.*Plan free/)
    expect(await page.$eval('#found details', each => each.textContent)).toMatch(/^Plan freewould be refused/)
    await begin('Grant more', '#found')
    expect(
      await page.$eval('#act [name=policy]', field => (field as unknown as { value: string }).value),
    ).toBe('pro_month')
    await press('Cancel', '#act')
    // The application knows that the customer has gone back to the free plan.
    plan = 'free'
    await press('Find', '#search')
    await becomes('#found', /user:42refused: limited/)
    expect(await text('#found')).toMatch(/Plan freeits plan: refused/)
    expect(await text('#found')).toMatch(/Plan prowould passcharged last, and not its plan/)
    plan = undefined
    await limiter.check({ plan: 'pro', user: { id: '42' } })
    await limiter.check({ plan: 'pro', user: { id: '42' } })
    await press('Find', '#search')
    await becomes('#found', /user:42refused by custom:acme: quota-exceeded/)
    await picture('plans')
    await press('custom:acme', '#found')
    await becomes('#found', /custom:acmerefused: quota-exceeded/)
    await usage.flush()
    await press('Find', '#search')
    await press('custom:acme', '#found')
    await becomes('#found', /Who used company_monthuser:4230Units that requests took/)
    await picture('users')
    await press('user:42', '#found .usage')
    await becomes('#found', /^user:42refused/)
    expect(complaints).toEqual([])
    control.close()
  })

  /** Looks at the view at two widths, in light and dark; in the short form at the narrow one. HALT_SCREENSHOTS keeps the pictures. */
  async function picture(name: string): Promise<void> {
    const folder = process.env['HALT_SCREENSHOTS']
    const isWhole = isFull || folder !== undefined
    for (const width of isWhole ? [1280, 360] : [360])
      for (const scheme of isWhole ? ['light', 'dark'] : ['dark']) {
        await page.setViewport({ width, height: 1400 })
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
        // The chart follows the width one frame later.
        await page.waitForFunction('document.documentElement.scrollWidth <= innerWidth')
        if (folder !== undefined)
          await writeFile(join(folder, `${name}-${width}-${scheme}.png`), await page.screenshot())
      }
  }

  it('the page blocks every address only if the operator says that this is meant', async () => {
    await open('#force')
    await begin('Block', '#force')
    const fields = { kind: 'ip', id: '0.0.0.0/0', reason: 'an attack' }
    for (const [name, value] of Object.entries(fields)) await page.locator(`#act [name=${name}]`).fill(value)
    await press('Continue', '#act')
    await becomes('#act-says', /4,294,967,296 addresses, all that there are.*I mean all of them/)
    await press('Block', '#act')
    expect(await page.$eval('#act', dialog => dialog.hasAttribute('open'))).toBe(true)
    expect(await site.control.entries()).toEqual([])
    await picture('force')
    await page.locator('#act [name=force]').click()
    await press('Block', '#act')
    await becomes('#done', /0\.0\.0\.0\/0 is blocked/)
    expect(await site.control.entries()).toMatchObject([{ target: '0.0.0.0/0' }])
    expect(complaints).toEqual([])
  })

  it('the page finds, explains and frees a client, grants more, and takes a grant back', async () => {
    await site.ask('42', 6)
    await open('#find')
    await page.locator('#search [name=id]').fill('42')
    await press('Find', '#search')
    await becomes('#found', /user:42refused: limited/)
    expect(await text('#found')).toMatch(/per_user token-bucketlimited0 of 5 leftpasses in/)
    expect(await text('#found')).toMatch(
      /per_address.* has a counter that this id does not name\. It is reached by \{ ip \}/,
    )

    await begin('Reset counters', '#found')
    expect(await confirm('Reset', { reason: 'a bug of ours' })).toMatch(/start again at zero/)
    expect(await text('#done')).toContain('1 counter of user:42 was reset.')
    await becomes('#found', /user:42passes/)

    await begin('Grant more', '#found')
    await confirm('Grant', { units: '10', reason: 'sorry' })
    await becomes('#found', /10 granted on top/)
    await press('Undo', '#done')
    await becomes('#done', /10 granted units of month were taken back from user:42; 0 stay, and 3 are left/)
    expect((await site.limiter.peek({ user: '42' })).allowed).toBe(true)

    await begin('Grant more', '#found')
    await confirm('Grant', { units: '7', reason: 'sorry' })
    await becomes('#found', /7 granted on top/)
    await begin('Take back', '#found')
    expect(await confirm('Take back', { units: '2', reason: 'too many' })).toMatch(/What is used stays used/)
    await becomes('#found', /5 granted on top/)
    await begin('Grant more', '#found')
    expect(await confirm('Grant', { units: '100', for: 'today', reason: 'a demo' })).toMatch(
      /for today; then/,
    )
    await becomes('#done', /user:42 has 100 units of month more, limit 108, until/)
    await picture('granted')
    expect(complaints).toEqual([])
  })

  it('the page finds by any key that the command line prints, and tells whose entry an undo would remove', async () => {
    await site.limiter.check({ user: { id: '42' }, socket: { remoteAddress: '203.0.113.7' } })
    await open('#find')
    for (const key of [
      'user:42',
      'custom:acme',
      'ip:203.0.113.7',
      'user:42+ip:203.0.113.7',
      'user:custom:acme',
    ]) {
      await page.locator('#search [name=id]').fill(key)
      await press('Find', '#search')
      await becomes('#found', new RegExp(`^${key.replaceAll('+', '[+]')}(?!:)`))
    }
    await page.locator('#search [name=id]').fill('42')
    await press('Find', '#search')
    await becomes('#found', /^user:42passes/)
    await begin('Block', '#found')
    await confirm('Block', { reason: 'a test' })
    await becomes('#done', /user:42 is blocked/)
    await site.control.block({ user: '42' }, { by: 'bob', reason: 'fraud' })
    await press('Undo', '#done')
    await becomes('#done', /Another entry stands there now: by "bob", because "fraud"/)
    expect(await text('#done')).not.toContain('Undo')
    expect(await site.control.entries()).toMatchObject([{ by: 'bob' }])
    // The browser itself tells of an answer that is not 200.
    expect(complaints.filter(one => !one.includes('409'))).toEqual([])
  })

  it('the page blocks a network after a warning, and undoes it', async () => {
    await open('#force')
    await begin('Block', '#force')
    const told = await confirm('Block', { id: '127.0.0.0/8', reason: 'scraping' })
    expect(told).toMatch(/Your own address 127\.0\.0\.1 is among them/)
    await becomes('#entries', /block127\.0\.0\.0\/8.*ann: scraping/)
    expect(await text('#force-count')).toBe('1')
    await press('Undo', '#done')
    await becomes('#entries', 'Nothing holds')
    await page.click('nav a[href="#history"]')
    await becomes('#acts', /unblock127\.0\.0\.0\/8.*taken back.*block127\.0\.0\.0\/8.*scraping/)
    expect(complaints).toEqual([])
  })

  it('the page tells what is wrong with a form, and keeps it', async () => {
    await open('#force')
    await becomes('#state', 'Healthy')
    await begin('Change a limit', '#force')
    await page.locator('#act [name=reason]').fill('slow database')
    await press('Continue', '#act')
    await becomes('#act-says', /The act changes no number.*HALT_E_OPERATOR/)
    await page.locator('#act [name=limit]').fill('2')
    await press('Continue', '#act')
    await becomes('#act-says', /per_address has limit 2 for everybody/)
    await press('Back', '#act')
    expect(
      await page.$eval('#act [name=limit]', field => (field as unknown as { value: string }).value),
    ).toBe('2')
    await page.keyboard.press('Escape')
    expect(await page.$eval('#act', dialog => dialog.hasAttribute('open'))).toBe(false)
    expect(await site.control.entries()).toEqual([])
  })

  it('the page works by the keyboard alone', async () => {
    await site.ask('42')
    await open()
    await becomes('#state', 'Healthy')
    await page.keyboard.press('/')
    await page.keyboard.type('42')
    await page.keyboard.press('Enter')
    await becomes('#found', 'user:42passes')
    await page.focus('#found button')
    await page.keyboard.press('Enter')
    await page.focus('#act [name=reason]')
    await page.keyboard.type('abuse')
    await page.keyboard.press('Enter')
    await becomes('#act-says', 'refuses every request')
    await page.keyboard.press('Enter')
    await becomes('#done', 'user:42 is blocked for 2h')
    expect(await site.control.entries()).toMatchObject([
      { kind: 'block', target: 'user:42', reason: 'abuse' },
    ])
    expect(complaints).toEqual([])
  })

  it.runIf(isFull)('the page says that the store is away, and that it is back', async () => {
    await open()
    await becomes('#state', 'Healthy')
    site.store.begin('refused')
    await site.ask('ann', 3)
    await becomes('#state', 'The store does not answer')
    await becomes('#problem', /HALT_E_STORE|The store call failed.*one process alone/)
    await becomes('#processes', /local, not memory/)
    expect(await text('#events')).toContain('The store failed')
    site.store.end()
    await becomes('#state', /Healthy|without the store/)
  })

  it.runIf(isFull)('the page shows what the load shedder of each process sheds, and why', async () => {
    await open()
    await becomes('#state', 'Healthy')
    expect(await page.$('#shedders-card:not([hidden])')).toBe(null)
    await site.close()
    const full = { ...calm, sheds: ['normal', 'batch'], cause: 'inside', sheddingMs: 12_000 } as const
    const loop = { ...calm, sheds: ['batch'], cause: 'loop', sheddingMs: 3_000 } as const
    const shedders = {
      shop: { state: { ...full, limits: [{ route: '/search', sheddingMs: 12_000 }] } },
      jobs: { state: { ...loop, mode: 'shadow' as const } },
      calm: { state: calm },
    }
    site = await openSite({ reveal: true, shedders })
    await open()
    await becomes('#state', '1 of 1 process sheds load')
    await becomes(
      '#shedders',
      /shop 7 of 403\.20 ms11 ms, calm 4\.00 msbatch and normal for 12 s, most on \/search: something behind/,
    )
    expect(await text('#shedders')).toMatch(
      /jobs shadow7 of 40.*would shed batch for 3 s: the event loop is full/,
    )
    expect(await text('#shedders')).toMatch(/calm 7 of 40.*nothing$/)
    await picture('shedders')
    expect(complaints).toEqual([])
  })

  it.runIf(isFull)('the page shows who waits, for which policy and how long', async () => {
    const limiter = new RateLimiter({
      store: new InMemoryStore(),
      policy: { name: 'stripe_calls', limit: 1, algorithm: 'concurrency', ttl: 60 },
      warn: () => {},
    })
    const holder = await limiter.acquire('stripe')
    await open()
    await becomes('#state', 'Healthy')
    expect(await page.$('#lines-card:not([hidden])')).toBe(null)
    const turns = [1, 2, 3].map(() => limiter.acquire('stripe', { maxWait: '1m' }))
    await becomes('#lines', /custom:stripestripe_calls3 wait, for \d s/)
    await limiter.release(holder)
    const second = await turns[0]!
    await becomes('#lines', /2 wait, the last \d+ m?s/)
    await picture('lines')
    await limiter.release(second)
    await limiter.release(await turns[1]!)
    await limiter.release(await turns[2]!)
    await vi.waitFor(async () => expect(await page.$('#lines-card:not([hidden])')).toBe(null), 10_000)
    await limiter.close()
    expect(complaints).toEqual([])
  })

  it.runIf(isFull)(
    'the page acts in this process alone while the store is away, and marks such acts until it is back',
    async () => {
      await open('#force')
      await becomes('#state', 'Healthy')
      site.store.begin('hanging')
      await becomes('#state', 'The store does not answer')
      await begin('Block', '#force')
      for (const [name, value] of Object.entries({ kind: 'user', id: '42', reason: 'abuse' }))
        await page.locator(`#act [name=${name}]`).fill(value)
      await press('Continue', '#act')
      await becomes('#act-says', /This process alone refuses.*The store does not answer.*the act is lost/)
      await picture('away-act')
      await press('Block in this process', '#act')
      await becomes('#done', 'user:42 is blocked for 2h. This holds in this process alone')
      await becomes('#entries', 'Holds in this process alone, until the store answers.')
      await becomes('#problem', '1 entry holds in this process alone, until the store answers.')
      expect(await text('#force-problem')).toContain('entries that one process obeys')
      await picture('away')
      site.store.end()
      await becomes('#state', /Healthy|without the store/)
      await becomes('#entries', /block *user:42until [^]+ann: abuse/)
      expect(
        await page.$$eval('#problem:not([hidden]), #force-problem:not([hidden])', all => all.length),
      ).toBe(0)
      expect(complaints).toEqual([])
    },
  )

  it('the page shows every text as text, and runs no injected script', async () => {
    await site.call('feed')
    await site.ask('ann', 6)
    await site.control.block({ user: '42' }, { reason: HOSTILE, by: HOSTILE })
    await page.setRequestInterception(true)
    const poisoned = (request: HTTPRequest): void => void poison(site, request)
    page.on('request', poisoned)
    onTestFinished(() => void page.off('request', poisoned))
    await open()
    for (const part of ['#policies', '#keys', '#events', '#processes', '#shedders', '#entries', '#acts'])
      await becomes(part, /<script>window\.hacked=1<\/script>/)
    expect(await page.$$eval('main img, main script', found => found.length)).toBe(0)
    expect(complaints).toEqual([])
    const attempts = [
      `document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.hacked=1">')`,
      `document.head.append(Object.assign(document.createElement('script'), { text: 'window.hacked=1' }))`,
      `document.body.setAttribute('onclick', 'window.hacked=1'), document.body.click()`,
    ]
    for (const attempt of attempts) await page.evaluate(attempt).catch(() => {})
    await expect
      .poll(() => complaints.join())
      .toMatch(/requires 'TrustedHTML' assignment.*requires 'TrustedScript' assignment/)
    expect(await page.evaluate('window.hacked')).toBe(undefined)
  })

  // HALT_SCREENSHOTS=docs/images keeps the pictures, which are those of the README.
  it.runIf(isFull)('the page draws itself in light and dark, from 320 px on', async () => {
    await busyMinutes(site)
    await page.setViewport({ width: 1120, height: 1010 })
    await open()
    await becomes('#keys', /user:zoe/)
    const folder = process.env['HALT_SCREENSHOTS'] ?? join(tmpdir(), 'halt-operator')
    await mkdir(folder, { recursive: true })
    const grounds = new Set<unknown>()
    for (const [scheme, end] of [
      ['light', ''],
      ['dark', '-dark'],
    ] as const) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      const picture = await page.screenshot()
      await writeFile(join(folder, `operator${end}.png`), picture)
      // An empty page is a tenth of that size.
      expect(picture.length).toBeGreaterThan(60_000)
      grounds.add(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor'))
    }
    expect(grounds.size).toBe(2)
    await page.evaluate(`location.hash = 'find'`)
    await page.locator('#search [name=id]').fill('gus')
    await press('Find', '#search')
    await becomes('#found', 'month')
    for (const width of [1120, 320])
      for (const view of ['now', 'find', 'force', 'history']) {
        await page.setViewport({ width, height: 900 })
        await page.evaluate(`location.hash = '${view}'`)
        await becomes('nav [aria-current]', new RegExp(view === 'force' ? 'In force' : view, 'i'))
        const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
        expect([width, view, isWide]).toEqual([width, view, false])
      }
    expect(complaints).toEqual([])
  })
})

/** Answers the feed with a hostile text in every place of a text. */
async function poison(site: Site, request: HTTPRequest): Promise<void> {
  if (!request.url().endsWith('/api/feed')) return request.continue()
  const { body: feed } = await site.call('feed')
  const [store] = feed['processes'].map((each: any) => each.store)
  const body = JSON.stringify({
    ...feed,
    policies: feed['policies'].map((tally: object) => ({ ...tally, policy: HOSTILE, key: HOSTILE })),
    refused: feed['refused'].map((top: object) => ({ ...top, key: HOSTILE, policy: HOSTILE })),
    events: [{ at: feed['now'], what: HOSTILE, key: HOSTILE }],
    lines: [{ policy: HOSTILE, key: HOSTILE, callers: 2, since: feed['now'] }],
    processes: [
      {
        name: HOSTILE,
        waiting: 0,
        ahead: 0,
        store: { ...store, kind: HOSTILE },
        shedders: [{ ...calm, name: HOSTILE, route: HOSTILE, sheds: [HOSTILE], sheddingMs: 1 }],
      },
    ],
  })
  await request.respond({ status: 200, contentType: 'application/json', body })
}

/** Two minutes of traffic, recorded at once: a quiet service, then a client that sends too much. */
async function busyMinutes(site: Site): Promise<void> {
  vi.useFakeTimers({ toFake: ['Date'] })
  const start = Date.now() - 118_000
  vi.setSystemTime(start)
  await site.call('feed')
  const users = Array.from({ length: 30 }, (_, i) => `user${i}`)
  for (let second = 0; second < 118; second++) {
    vi.setSystemTime(start + second * 1000)
    // Somebody watches all the time, so the recording goes on.
    if (second % 20 === 0) await site.call('feed')
    for (const [i, user] of users.entries()) if ((second * 7 + i * 5) % 53 < 3) await site.ask(user)
    if (second > 52 && second < 88) await site.ask('zoe', 2 + ((second * 5) % 4))
    if (second > 70 && second < 80) await site.ask('yan', 3)
    if (second > 20 && second < 24) await site.ask('xia', 4)
    if (second === 64) await site.ask('wim', 9)
    if (second % 20 === 0) await site.ask('gus')
  }
  await site.control.block(
    { ip: '198.51.100.0/24' },
    { for: '2h', reason: 'copies the catalogue', by: 'ann' },
  )
  await site.control.override(
    { user: 'gus' },
    'per_user',
    { limit: 50 },
    { for: '3d', reason: 'their launch', by: 'ben' },
  )
  await site.control.change(
    'per_address',
    { limit: 500 },
    { for: '1h', reason: 'the database is slow', by: 'ann' },
  )
  vi.useRealTimers()
}
