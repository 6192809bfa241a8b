// Opens pages of the built site in a Chromium, light and dark: no error, no jump, no barrier that axe finds, nothing wider than a phone.
//   node check.mjs                      checks, and tells how long the first paint took
//   node check.mjs --pictures FOLDER    keeps pictures of four pages
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import puppeteer from 'puppeteer-core'
import { serve } from 'vitepress'

import { findBrowser } from '../../tools/find-browser.mjs'

const PATHS = [
  '',
  'start',
  'contents',
  'algorithms',
  'reliability',
  'proxies',
  'frameworks',
  'playground',
  'errors/',
  'errors/HALT_E_LIMIT',
]
const MORE = [
  'compare/express-rate-limit',
  'migrate/express-rate-limit',
  'measured/benchmarks',
  'packages/nest',
  'api/',
]
const PICTURED = ['', 'algorithms', 'playground', 'errors/']
const SETUP = {
  sides: [
    [{ name: 'api', limit: 10, window: '10s' }],
    [{ name: 'api', limit: 10, window: '10s', algorithm: 'sliding-window' }],
  ],
  traffic: { kind: 'attacker', perSecond: 4, clients: 8, attack: 5 },
  speed: 4,
}
/** The set-up of the playground in its picture. */
const PLAYED = `#try=${Buffer.from(JSON.stringify(SETUP)).toString('base64url')}`
const THEMES = /** @type {const} */ (['light', 'dark'])

const [flag, folder] = process.argv.slice(2)
const root = fileURLToPath(new URL('.', import.meta.url))
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const executablePath = findBrowser()
if (executablePath === undefined)
  throw new Error('There is no Chromium: npm run setup, or set CHROMIUM_PATH.')

const server = await serve({ root, port: 4180 })
const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox'] })
/** @type {string[]} */
const problems = []
try {
  for (const path of [...PATHS, ...MORE]) for (const theme of THEMES) await visit(path, theme)
} finally {
  await browser.close()
  server.server?.close()
}
for (const problem of problems) console.error(problem)
console.log(`${PATHS.length + MORE.length} pages in ${THEMES.length} themes: ${problems.length} problems`)
process.exit(problems.length > 0 ? 1 : 0)

/** @param {string} path @param {'light' | 'dark'} theme */
async function visit(path, theme) {
  const page = await browser.newPage()
  const name = `/${path} (${theme})`
  const complain = (/** @type {string} */ text) => void problems.push(`${name}: ${text}`)
  page.on('console', message => ['error', 'warn'].includes(message.type()) && complain(message.text()))
  page.on('pageerror', error => complain(String(error)))
  page.on('requestfailed', request => complain(`${request.url()} failed`))
  page.on(
    'request',
    request => /^(?:http:\/\/localhost:|data:)/.test(request.url()) || complain(`asks ${request.url()}`),
  )
  await page.emulateMediaFeatures([
    { name: 'prefers-color-scheme', value: theme },
    {
      name: 'prefers-reduced-motion',
      value: path === 'playground' && folder !== undefined ? 'no-preference' : 'reduce',
    },
  ])
  await page.setViewport({ width: 1280, height: 900 })
  await page.evaluateOnNewDocument(`
    window.shift = 0
    window.shifted = []
    new PerformanceObserver(list => {
      for (const { value, sources } of list.getEntries()) {
        window.shift += value
        window.shifted.push(...sources.map(({ node }) => node?.className || node?.nodeName))
      }
    })
      .observe({ type: 'layout-shift', buffered: true })`)
  const hash = path === 'playground' && folder !== undefined ? PLAYED : ''
  await page.goto(`http://localhost:4180/halt/${path}${hash}`, { waitUntil: 'networkidle0' })
  const paint = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
  console.log(
    `${name}: first paint after ${Math.round(Number(paint))} ms, shift ${Number(await page.evaluate('window.shift')).toFixed(3)}`,
  )
  if (Number(await page.evaluate('window.shift')) > 0.05)
    complain(`its layout shifts: ${String(await page.evaluate('shifted.join()'))}`)
  if (flag === '--pictures' && folder !== undefined && PICTURED.includes(path))
    await picture(page, path, theme)
  if (path === 'playground' && folder === undefined) await play(page, complain)
  if (path === 'contents') await sidebar(page, complain)
  if (path === 'start') await search(page, complain)
  await page.evaluate(axe)
  const { violations } = /** @type {{ violations: { id: string, nodes: { html: string }[] }[] }} */ (
    await page.evaluate('axe.run()')
  )
  for (const { id, nodes } of violations)
    complain(
      `axe: ${id}: ${nodes
        .map(({ html }) => html.slice(0, 160))
        .slice(0, 3)
        .join(' ')} (${nodes.length})`,
    )
  await page.setViewport({ width: 360, height: 800 })
  if (Number(await page.evaluate('document.documentElement.scrollWidth')) > 360)
    complain('is wider than 360 px')
  await page.close()
}

/** Sends a request in the playground, which the built packages decide. @param {import('puppeteer-core').Page} page @param {(text: string) => void} complain */
async function play(page, complain) {
  const usable = await page.evaluate("performance.getEntriesByName('playground can be used')[0]?.startTime")
  console.log(`the playground can be used after ${Math.round(Number(usable))} ms`)
  await page.click('::-p-aria([name="From the start"][role="button"])')
  await page.click('::-p-aria([name="Next request"][role="button"])')
  const counted = "document.querySelector('.counts')?.textContent.startsWith('1 admitted')"
  await page.waitForFunction(counted).catch(() => complain('a request is not admitted'))
}

/** Opens a part of the sidebar. @param {import('puppeteer-core').Page} page @param {(text: string) => void} complain */
async function sidebar(page, complain) {
  const part = await page.waitForSelector('::-p-aria([name="Recipes"][role="button"])')
  const state = () => part?.evaluate(found => found.getAttribute('aria-expanded'))
  const before = await state()
  await part?.focus()
  await page.keyboard.press('Enter')
  if (before !== 'false' || (await state()) !== 'true')
    complain('a part of the sidebar does not say that it opens')
}

/** Asks the search. What the browser loads for the answer is bounded. @param {import('puppeteer-core').Page} page @param {(text: string) => void} complain */
async function search(page, complain) {
  const devtools = await page.createCDPSession()
  let bytes = 0
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => void (bytes += encodedDataLength))
  await devtools.send('Network.enable')
  await page.keyboard.press('/')
  await page.waitForSelector('dialog[open] input:focus')
  await page.keyboard.sendCharacter('block an ip')
  await page.waitForSelector('.answers[aria-busy=false]')
  await page.waitForNetworkIdle()
  console.log(`the search loads ${bytes} bytes for its first answer`)
  if (bytes > 150_000) complain(`the search loads ${bytes} bytes for its first answer`)
  await page.evaluate(axe)
  const barriers = await page.evaluate(
    'axe.run("dialog").then(({ violations }) => violations.map(({ id }) => id).join())',
  )
  if (barriers !== '') complain(`axe: the search: ${String(barriers)}`)
  await page.keyboard.press('Enter')
  const arrived = "location.pathname.endsWith('/runbook') && location.hash === '#an-abuser'"
  await page.waitForFunction(arrived).catch(() => complain('the search does not lead to an answer'))
  await page.goBack()
}

/** @param {import('puppeteer-core').Page} page @param {string} path @param {string} theme */
async function picture(page, path, theme) {
  // The playground runs for a while, so that its pictures show something.
  if (path === 'playground') await new Promise(resolve => setTimeout(resolve, 6000))
  const name = `site-${path.replaceAll('/', '') || 'home'}-${theme}.png`
  await page.screenshot({ path: /** @type {`${string}.png`} */ (join(folder ?? '', name)) })
}
