import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { findBrowser } from '../../../../tools/find-browser.mjs'
import { serveSearch, type ServedSearch } from './page.ts'

const executablePath = findBrowser()
const why = executablePath === undefined ? ' (skipped: no Chromium; `npm run setup` or CHROMIUM_PATH)' : ''
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const INDEX = '/search/index.json'

describe.skipIf(executablePath === undefined)(`the box of the search in Chromium${why}`, () => {
  let browser: Browser
  let site: ServedSearch
  let page: Page
  beforeAll(async () => {
    site = await serveSearch()
    // Runs without a sandbox, which needs rights that containers lack. The page is our own.
    browser = await puppeteer.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] })
    page = await browser.newPage()
    await page.setCacheEnabled(false)
  })
  afterAll(async () => {
    await browser?.close()
    site?.close()
  })
  beforeEach(() => page.setViewport({ width: 800, height: 600 }))
  afterEach(async () => {
    site.broken.clear()
    site.release()
    // All tests share a tab, because a new one starts a process.
    await page.goto('about:blank')
  })

  const open = async (path = '/'): Promise<void> => {
    await page.goto(site.url + path, { waitUntil: 'networkidle0' })
    await page.click('main button')
    await page.waitForSelector('dialog[open] input:focus')
  }
  /** At once, as by pasting, because a slow machine would ask for the parts of a question. */
  const ask = (question: string): Promise<void> => page.keyboard.sendCharacter(question)
  const textOf = (selector: string): Promise<string> => page.$eval(selector, found => found.textContent ?? '')
  const becomes = (selector: string, expected: string | RegExp): Promise<void> =>
    expect.poll(() => textOf(selector).catch(() => '')).toMatch(expected)
  /** The titles of the answers, once the excerpts are there. */
  const answers = async (): Promise<string[]> => {
    await page.waitForSelector('.answers[aria-busy=false]')
    return page.$$eval('.answer-title', found => found.map(each => each.textContent ?? ''))
  }

  it('the browser loads at most 150 kB from the press on the button to the answer with its excerpts', async () => {
    await page.goto(site.url, { waitUntil: 'networkidle0' })
    const devtools = await page.createCDPSession()
    let [bytes, files] = [0, 0]
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength
      files++
    })
    await devtools.send('Network.enable')
    await page.click('main button')
    await page.waitForSelector('dialog[open] input:focus')
    await ask('block an ip')
    expect((await answers())[0]).toBe('429 at nine in the evening › An abuser')
    await page.waitForNetworkIdle()
    await devtools.detach()
    console.log(`search: ${bytes} bytes in ${files} files before the first answer`)
    expect(files).toBeGreaterThan(3)
    expect(bytes).toBeGreaterThan(50_000)
    expect(bytes).toBeLessThan(150_000)
  })

  it('the box says that the index is loading, and answers the question once it is there', async () => {
    site.held.add(INDEX)
    await open()
    await ask('redis down')
    await becomes('[role=status]', 'Loading the index …')
    expect(await page.$('.answer')).toBeNull()
    site.release()
    await becomes('.answer-title', 'Reliability')
    await becomes('[role=status]', /^\d+ answers$/)
  })

  it('the box shows titles before the excerpts, and nothing moves when these come', async () => {
    site.held.add('/search/text/runbook.json')
    await open()
    await ask('block an ip')
    await becomes('.answer-title', '429 at nine in the evening')
    expect(await textOf('.answer-text')).toMatch(/^A customer complains/)
    const top = (): Promise<number> =>
      page.$eval('#search-answer-1', found => found.getBoundingClientRect().top)
    const before = await top()
    site.release()
    await becomes('.answer-title', ' › An abuser')
    expect(await textOf('.answer-text mark')).toMatch(/block/i)
    expect(await top()).toBe(before)
  })

  it('the box says that it could not load, and tries again at the next letter', async () => {
    site.broken.add(INDEX)
    await open()
    await ask('quot')
    await becomes('[role=status]', /^The search could not be loaded/)
    site.broken.clear()
    await ask('a')
    await becomes('.answer-title', 'Quotas')
  })

  it('the pages stay answers if the exports could not be loaded', async () => {
    site.broken.add('/search/exports.json')
    await open()
    await ask('RateLimiter')
    expect((await answers()).length).toBeGreaterThan(0)
    expect(await textOf('[role=status]')).toMatch(/^\d+ answers$/)
  })

  it('a question without an answer leads to others, and to all pages', async () => {
    await open()
    await ask('zebra xylophone')
    await becomes('[role=status]', 'No page answers this.')
    await becomes('.search-help', /^Try fewer or plainer words, such as block an ip, /)
    expect(await page.$eval('.search-help a', found => found.getAttribute('href'))).toBe('/contents')
    await page.click('.search-help button')
    expect(await answers()).toContain('429 at nine in the evening › An abuser')
    expect(await page.$eval('input', found => found.value)).toBe('block an ip')
  })

  it('a mistake in a word is told, with the answers that come near', async () => {
    await open()
    await ask('websokcet')
    await becomes('[role=status]', 'No page has exactly these words. These come near:')
    await becomes('.answer-title', 'WebSockets with ws')
  })

  it('a reader without a mouse chooses an answer by the arrows and takes it by Enter', async () => {
    await open()
    await ask('login brute force')
    await answers()
    const active = (): Promise<string | null> =>
      page.$eval('input', found => found.getAttribute('aria-activedescendant'))
    expect(await active()).toBe('search-answer-0')
    await page.keyboard.press('ArrowDown')
    expect(await active()).toBe('search-answer-1')
    expect(await page.$eval('#search-answer-1', found => found.ariaSelected)).toBe('true')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await becomes('output', /^\/recipes\/login-protection/)
  })

  it('Escape and a press beside the box close it', async () => {
    await open()
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { hidden: true })
    // The reader goes on from where the box was opened.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Search')
    await open()
    await page.mouse.click(5, 5)
    await page.waitForSelector('dialog', { hidden: true })
  })

  it('a code typed exactly stands first, and an export stands in a group of its own', async () => {
    await open()
    await ask('halt_e_limit')
    await becomes('.answer-title', 'HALT_E_LIMIT')
    await page.$eval('input', found => found.select())
    await ask('RateLimiter')
    await expect
      .poll(() => page.$$eval('.answer-group', found => found.map(each => each.textContent)))
      .toEqual(expect.arrayContaining(['Guides', 'API reference']))
    expect(await textOf('[role=group]:last-child .answer')).toBe('RateLimiterAn export of @halt/core')
  })

  it.each(['/', '/dark'])(
    'the box on the page %s has no barrier that axe finds, and fits 360 px',
    async path => {
      await page.setViewport({ width: 360, height: 800 })
      await open(path)
      for (const question of ['', 'redis down', ' zebra xylophone']) {
        await ask(question)
        if (question === 'redis down') await answers()
        await page.evaluate(axe)
        const { violations } = (await page.evaluate('axe.run()')) as {
          violations: { id: string; nodes: { html: string }[] }[]
        }
        expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
      }
    },
  )
})
