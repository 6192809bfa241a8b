import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { findBrowser } from '../../../../tools/find-browser.mjs'
import { toHash } from '../../src/playground/link.ts'
import { FIRST, type Setup } from '../../src/playground/setup.ts'
import { servePlayground } from './page.ts'

const executablePath = findBrowser()
const why = executablePath === undefined ? ' (skipped: no Chromium; `npm run setup` or CHROMIUM_PATH)' : ''
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe.skipIf(executablePath === undefined)(`the playground in Chromium${why}`, () => {
  let browser: Browser
  let site: Awaited<ReturnType<typeof servePlayground>>
  let page: Page
  let complaints: string[]
  beforeAll(async () => {
    site = await servePlayground()
    // Runs without a sandbox, which needs rights that containers lack. The page is our own.
    browser = await puppeteer.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
    page = await browser.newPage()
    page.on('console', message => complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(String(error)))
  })
  afterAll(async () => {
    await browser?.close()
    site?.close()
  })
  beforeEach(async () => {
    complaints = []
    await page.setViewport({ width: 800, height: 600 })
    // Nothing moves by itself, so that the test sends each request.
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }])
  })
  afterEach(async () => {
    // All tests share a tab, because a new one starts a process. The next page is another one, not a part of this.
    await page.goto('about:blank')
    if (complaints.length > 0) throw new Error(complaints.join('\n'))
  })

  const open = async (setup?: Setup, path = '/'): Promise<void> => {
    await page.goto(site.url + path + (setup === undefined ? '' : toHash(setup)))
    await page.waitForSelector('.playground .bench')
  }
  const text = (selector: string): Promise<string> => page.$eval(selector, found => found.textContent ?? '')
  const becomes = (selector: string, expected: string | RegExp): Promise<void> =>
    vi.waitFor(async () => expect(await text(selector)).toMatch(expected), { timeout: 30_000, interval: 50 })
  const press = (name: string): Promise<void> => page.click(`::-p-aria([name="${name}"][role="button"])`)
  const fill = async (name: string, value: string): Promise<void> => {
    const field = await page.waitForSelector(`::-p-aria([name="${name}"])`)
    await field?.evaluate(found => void ((found as HTMLInputElement).value = ''))
    await field?.type(value)
    await page.keyboard.press('Tab')
  }

  /** The requests that were decided. */
  const requests = async (): Promise<number> => {
    const [, admitted, refused] = /^(\d+) admitted(\d+) refused/.exec(await text('.counts')) ?? []
    return Number(admitted) + Number(refused)
  }

  it('a visitor meets a picture of thirty seconds, with requests that were refused', async () => {
    await open()
    await becomes('output', '30.0 s')
    await becomes('.counts', '40 admitted21 refusedthe first refused one was number 20')
    expect(await text('[aria-label="The last answer"]')).toMatch(/^HTTP\/1.1 200 OK\nRateLimit-Limit: 10\n/)
    // Without movement nothing is added.
    await press('From the start')
    await becomes('.counts', /^0 admitted0 refused/)
  })

  it('on a phone the picture stands above the numbers that change it', async () => {
    await page.setViewport({ width: 360, height: 800 })
    await open()
    const bottomOf = (selector: string): Promise<number> =>
      page.$eval(selector, found => found.getBoundingClientRect().bottom)
    expect(await bottomOf('canvas')).toBeLessThan(await bottomOf('.setup input'))
    expect(await bottomOf('canvas')).toBeLessThan(700)
  })

  it('a visitor sets a limit, and sees the refusal at the right request', async () => {
    await open()
    await fill('limit', '4')
    await fill('window', '1m')
    for (let i = 0; i < 4; i++) await press('Next request')
    await becomes('.counts', '4 admitted0 refusednone was refused')
    await press('Next request')
    await becomes('.counts', '4 admitted1 refusedthe first refused one was number 5')
    expect(await text('[aria-label="The last answer"]')).toMatch(
      /^HTTP\/1.1 429 Too Many Requests\nRateLimit-Limit: 4\n[\s\S]*Retry-After: 13\n[\s\S]*"retry_after":13/,
    )
    expect(await text('.advice')).toBe(
      'Wait 13 s, then send the same request again. It passes then if nobody else asks.',
    )
    expect(await text('[aria-label="explain()"]')).toMatch(/^Refused: limited \(api\)/)
    expect(await text('.code')).toBe("const policy = { name: 'api', limit: 4, window: '1m' }")
  })

  it('a visitor lets clients share a limit fairly, which a window does not', async () => {
    await open()
    await page.select('::-p-aria([name="counts"])', 'shared')
    await page.waitForSelector('::-p-aria([name="shares"])')
    await page.select('::-p-aria([name="shares"])', 'user')
    await becomes('.code', /keyStrategy: 'shared', fair: \{ by: 'user' \} \}/)
    await press('Next request')
    await becomes('.told', /fair shares: there is plenty/)
    await page.select('::-p-aria([name="algorithm"])', 'fixed-window')
    await becomes('.code', /keyStrategy: 'shared', algorithm: 'fixed-window' \}/)
    expect(await page.$('::-p-aria([name="shares"])')).toBeNull()
  })

  it('the playground refuses a third request while two are in flight, and admits it after one has ended', async () => {
    await open()
    await page.select('::-p-aria([name="algorithm"])', 'concurrency')
    await fill('limit', '2')
    await fill('ttl', '30s')
    await fill('seconds that a request is in flight', '1.2')
    for (let i = 0; i < 3; i++) await press('Next request')
    await becomes('.counts', /^2 admitted1 refusedthe first refused one was number 3$/)
    await becomes(
      '.advice',
      /^Wait until one of your requests has ended, or at most 29 s, then send it again\.$/,
    )
    await press('Next request')
    await becomes('.counts', /^3 admitted1 refused/)
    expect(await text('.code')).toBe(
      "const policy = { name: 'api', limit: 2, algorithm: 'concurrency', ttl: '30s' }",
    )
  })

  it('a number that a visitor types stays while the texts around it change', async () => {
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'no-preference' }])
    await open()
    const field = await page.waitForSelector('::-p-aria([name="limit"])')
    await field?.evaluate(found => void ((found as HTMLInputElement).value = '77'))
    const before = await text('output')
    await expect.poll(() => text('output')).not.toBe(before)
    expect(await field?.evaluate(found => (found as HTMLInputElement).value)).toBe('77')
  })

  it('a link carries the set-up to another visitor', async () => {
    await open()
    await press('Compare with a second side')
    await page.select('::-p-aria([name="source"])', 'bursts')
    await fill('requests at once', '12')
    const link = await page.evaluate('location.href')
    const other = await browser.newPage()
    await other.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }])
    await other.goto(String(link))
    await other.waitForSelector('.side:nth-of-type(2) canvas')
    expect(await other.$$eval('.code', found => found.map(each => each.textContent))).toEqual([
      "const policy = { name: 'api', limit: 10, window: '10s' }",
      "const policy = { name: 'api', limit: 10, window: '10s', algorithm: 'sliding-window' }",
    ])
    expect(
      await other.$eval('::-p-aria([name="requests at once"])', found => (found as HTMLInputElement).value),
    ).toBe('12')
    await other.close()
  })

  it('a bad link and a bad number say what is wrong', async () => {
    await page.goto(`${site.url}/#try=abc`)
    await becomes('.problem', 'This link is cut or damaged. Copy it again, whole.')
    await open(FIRST)
    await becomes('.problem', /^$/)
    await fill('window', 'soon')
    await becomes('.problem', /^HALT_E_WINDOW: .*window is "soon"/)
    await fill('window', '5s')
    await becomes('.problem', /^$/)
  })

  it('a pasted log is replayed to its end', async () => {
    const line = '203.0.113.7 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5'
    await open({ ...FIRST, sides: [[{ name: 'api', limit: 2, window: 60 }]], speed: 100 })
    await page.select('::-p-aria([name="source"])', 'log')
    await page.$eval(
      'textarea',
      (found, value) => {
        found.value = value
        found.dispatchEvent(new Event('change'))
      },
      Array(5).fill(line).join('\n'),
    )
    await becomes('.notes', '5 requests in the format combined.')
    await press('Run')
    await becomes('.counts', '2 admitted3 refused')
  })

  it('the calculator hands its policies to the playground', async () => {
    await open()
    await fill('requests of a busy user per minute', '60')
    await press('Try these policies above')
    await becomes('.code', /name: 'per_user', limit: 600/)
    await press('Next request')
    await becomes('.counts', '1 admitted')
  })

  it('a visitor without a mouse reaches every control', async () => {
    await open()
    const controls = await page.$$eval(
      '.playground :is(input, select, button:not(:disabled), pre)',
      found => found.length,
    )
    const met = new Set<string>()
    for (let i = 0; i < controls + 2; i++) {
      await page.keyboard.press('Tab')
      const at =
        "[...document.querySelectorAll('.playground :is(input, select, button, pre)')].indexOf(document.activeElement)"
      met.add(String(await page.evaluate(at)))
    }
    met.delete('-1')
    expect(met.size).toBe(controls)
    const before = await requests()
    await page.focus('::-p-aria([name="Next request"][role="button"])')
    await page.keyboard.press('Enter')
    await expect.poll(requests).toBe(before + 1)
  })

  it.each(['/', '/dark'])('the page %s has no barrier that axe finds, and fits 360 px', async path => {
    await page.setViewport({ width: 360, height: 800 })
    await open(
      {
        ...FIRST,
        sides: [FIRST.sides[0] ?? [], [{ name: 'b', limit: 9, window: 9, algorithm: 'fixed-window' }]],
      },
      path,
    )
    for (let i = 0; i < 3; i++) await press('Next request')
    await page.evaluate(axe)
    const { violations } = (await page.evaluate('axe.run()')) as {
      violations: { id: string; nodes: { html: string }[] }[]
    }
    expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })

  it('the picture moves with a thousand simulated requests per second, and nothing jumps', async () => {
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'no-preference' }])
    const { identifier } = await page.evaluateOnNewDocument(`
      window.shift = 0
      new PerformanceObserver(list => { for (const { value } of list.getEntries()) window.shift += value })
        .observe({ type: 'layout-shift', buffered: true })`)
    onTestFinished(() => page.removeScriptToEvaluateOnNewDocument(identifier))
    await open({ ...FIRST, traffic: { kind: 'steady', perSecond: 100, clients: 50 }, speed: 10 })
    const frames = await page.evaluate(`new Promise(resolve => {
      let frames = 0
      const until = performance.now() + 2000
      const count = now => now < until ? (frames++, requestAnimationFrame(count)) : resolve(frames / 2)
      requestAnimationFrame(count)
    })`)
    // Told, not asserted, because a busy machine draws fewer.
    console.log(`playground: ${String(frames)} frames per second at 1000 simulated requests per second`)
    await becomes('.counts', /[1-9]\d\d+ admitted/)
    expect(await page.evaluate('window.shift')).toBeLessThanOrEqual(0.05)
  })
})
