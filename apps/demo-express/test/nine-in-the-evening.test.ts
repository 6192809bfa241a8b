// A customer complains at nine in the evening. An operator helps on the page, without a deploy: two processes, one Redis, one browser.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { findBrowser } from '../../../tools/find-browser.mjs'
import { type RunningServer, startRedis } from '../../../tools/servers.ts'
import { serve, type Served, TOKEN } from './served.ts'

const executablePath = findBrowser()
const why = executablePath === undefined ? ' (skipped: no Chromium; `npm run setup` or CHROMIUM_PATH)' : ''
const SOON = { timeout: 30_000, interval: 100 }
const hook = new URL('../../benchmarks/test/typescript-hook.mjs', import.meta.url).href
const script = fileURLToPath(new URL('served-process.ts', import.meta.url))

/** What an operator finds of a client. */
interface Found {
  readonly limiters: readonly {
    readonly reason?: string
    readonly policies: readonly { readonly policy: string; readonly limit: number }[]
  }[]
}

/** Serves the app in a process of its own. */
async function serveElsewhere(redis: string): Promise<Served> {
  const args = [`--import=${hook}`, '--conditions=halt-source', script, redis]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const close = (): Promise<unknown> => (child.kill('SIGTERM') ? once(child, 'exit') : Promise.resolve())
  for await (const url of createInterface({ input: child.stdout as Readable })) return { url, close }
  throw new Error('The process has ended.')
}

describe.skipIf(executablePath === undefined)(`nine in the evening${why}`, () => {
  let redis: RunningServer
  let browser: Browser
  let page: Page
  let first: Served
  let second: Served
  beforeAll(async () => {
    redis = await startRedis()
    ;[first, second, browser] = await Promise.all([
      serve(redis.url),
      serveElsewhere(redis.url),
      puppeteer.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] }),
    ])
    page = await browser.newPage()
    await page.authenticate({ username: 'ann', password: TOKEN })
  })
  afterAll(async () => {
    await browser?.close()
    await Promise.all([first?.close(), second?.close()])
    await redis?.stop()
  })

  const ask = async ({ url }: Served, user = 'cat@acme'): Promise<Response> => {
    const response = await fetch(`${url}/quotes`, { headers: { 'X-Demo-User': user } })
    await response.arrayBuffer()
    return response
  }
  const upgrade = async ({ url }: Served, user: string): Promise<void> => {
    const headers = { 'X-Demo-User': user, 'Content-Type': 'application/json' }
    await (await fetch(`${url}/plan`, { method: 'POST', headers, body: '{"plan":"pro"}' })).arrayBuffer()
  }
  const statuses = async (user?: string): Promise<number[]> =>
    Promise.all([first, second].map(async served => (await ask(served, user)).status))
  /** What both processes tell an operator of a user. Unlike a request, this charges nothing, not even the address. */
  const seen = async (user: string): Promise<Found[]> =>
    Promise.all(
      [first, second].map(async ({ url }) => {
        const headers = { 'x-halt-operator': '1', Authorization: `Basic ${btoa(`ann:${TOKEN}`)}` }
        const body = JSON.stringify({ whom: { user } })
        const response = await fetch(`${url}/operator/api/find`, { method: 'POST', headers, body })
        return (await response.json()) as Found
      }),
    )
  const blocked = async (user: string): Promise<boolean[]> =>
    (await seen(user)).map(({ limiters }) => limiters.some(({ reason }) => reason === 'blocked'))
  const limits = async (user: string): Promise<(number | undefined)[]> =>
    (await seen(user)).map(
      ({ limiters }) =>
        limiters.flatMap(({ policies }) => policies).find(({ policy }) => policy === 'pro_plan')?.limit,
    )
  const text = (selector: string): Promise<string> => page.$eval(selector, found => found.textContent ?? '')
  const becomes = (selector: string, expected: string | RegExp): Promise<void> =>
    vi.waitFor(async () => expect(await text(selector)).toMatch(expected), { timeout: 30_000, interval: 50 })
  const press = (says: string, within: string): Promise<void> =>
    page.locator(`${within} ::-p-xpath(.//button[starts-with(normalize-space(), "${says}")])`).click()
  /** Opens the form of an act. The page may draw the button anew while it is pressed, so one press may do nothing. */
  const begin = (says: string, within: string): Promise<void> =>
    vi.waitFor(async () => {
      if ((await page.$('#act[open]')) === null) await press(says, within)
      expect(await page.$('#act[open]')).not.toBeNull()
    }, SOON)
  async function act(go: string, fields: Record<string, string>): Promise<void> {
    for (const [name, value] of Object.entries(fields)) await page.locator(`#act [name=${name}]`).fill(value)
    await press('Continue', '#act')
    await becomes('#act-says', /\w/)
    await press(go, '#act')
    // What is done may still tell of the act before.
    await page.waitForSelector('#act:not([open])')
  }
  async function find(kind: string, id: string): Promise<void> {
    await page.click('nav a[href="#find"]')
    await page.locator('#search [name=kind]').fill(kind)
    await page.locator('#search [name=id]').fill(id)
    await press('Find', '#search')
  }

  it('an operator finds, frees and blocks a customer of two processes, and halves a limit for a while', async () => {
    await page.goto(`${first.url}/operator/`)
    // The other process learns that somebody watches.
    await becomes('#processes', /\(this\).*redis.*redis/)

    await Promise.all(
      [first, second].flatMap(served => ['cat@acme', 'dan@acme', 'eve'].map(user => upgrade(served, user))),
    )

    // The customer sends too much, to both processes, and is refused by both.
    for (const user of ['dan@acme', 'dan@acme', 'cat@acme', 'cat@acme']) await statuses(user)
    expect(await statuses()).toEqual([429, 429])
    await becomes('#keys', /custom:acmecompany_month[24]/)

    // Found and explained: the month of the company is used up.
    await press('custom:acme', '#keys')
    await becomes(
      '#found',
      /custom:acmerefused: quota-exceeded.*company_month quotaquota-exceeded0 of 8 left/,
    )

    // Granted, and freed.
    await begin('Grant more', '#found')
    await act('Grant', { units: '100', reason: 'their launch' })
    await becomes('#found', '100 granted on top')
    await find('user', 'cat@acme')
    await becomes('#found', 'user:cat@acme')
    await begin('Reset counters', '#found')
    await act('Reset', { reason: 'a bug of ours' })
    // A process may repeat a refusal for a second.
    await vi.waitFor(async () => expect(await statuses()).toEqual([200, 200]), { ...SOON, interval: 400 })

    // Blocked in both, and unblocked.
    await begin('Block', '#found')
    await act('Block', { reason: 'copies the catalogue' })
    await vi.waitFor(async () => expect(await blocked('cat@acme')).toEqual([true, true]), SOON)
    expect(await statuses()).toEqual([429, 429])
    await press('Undo', '#done')
    await vi.waitFor(async () => expect(await blocked('cat@acme')).toEqual([false, false]), SOON)
    expect(await statuses()).toEqual([200, 200])

    // Halved for everybody, and taken back.
    await page.click('nav a[href="#force"]')
    await begin('Change a limit', '#force')
    await page.click('#act summary')
    await act('Change', { policy: 'pro_plan', limit: '25', burst: '25', reason: 'the database is slow' })
    await vi.waitFor(async () => expect(await limits('eve')).toEqual([25, 25]), SOON)
    await becomes('#entries', /changeeverybodypro_planlimit 25, burst 25/)
    await begin('End', '#entries')
    await act('Take back', { reason: 'it is fast again' })
    await vi.waitFor(async () => expect(await limits('eve')).toEqual([50, 50]), SOON)

    // Seen in the history, latest first.
    await page.click('nav a[href="#history"]')
    await becomes(
      '#acts',
      /revert.*it is fast again.*change.*database.*unblock.*block.*copies.*reset.*bug of ours.*grantcustom:acme.*100 units.*ann: their launch/,
    )
  })
})
