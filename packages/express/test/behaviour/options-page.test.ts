// docs/adapter-options.md describes every option that only the adapters share, and the README of core those of a limiter. The
// examples run.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { type GuardOptions, LIMITER_OPTIONS } from '@halt/core/http'
import { describe, expect, it, onTestFinished } from 'vitest'

import { examplesOf, runPageExample } from '../../../../tools/example.ts'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/adapter-options.md', root), 'utf8')
const core = readFileSync(new URL('packages/core/README.md', root), 'utf8')

/** The compiler demands every option here. */
const GUARD_OPTIONS = Object.keys({
  cost: true,
  costOnError: true,
  skip: true,
  headers: true,
  errorFormat: true,
  statusCode: true,
  skipPreflight: true,
  chargeWhen: true,
  idempotencyKey: true,
  delay: true,
  policy: true,
} satisfies Record<keyof GuardOptions, true>)

/** The options that the lists of a text describe. An item may describe several. */
const rowsOf = (text: string) =>
  [...text.matchAll(/^- (?:\*\*`\w+`\*\*[^*:]*)+/gm)].flatMap(([begin]) =>
    [...begin.matchAll(/\*\*`(\w+)`\*\*/g)].map(([, option]) => option ?? ''),
  )
const rows = rowsOf(page)
const limiterRows = rowsOf(core.split('## RateLimiter')[1]?.split('\n### ')[0] ?? '')

describe('docs/adapter-options.md', () => {
  it.each([...GUARD_OPTIONS, 'limiter', 'onLimited'])('the page describes %s once', option => {
    expect(rows.filter(row => row === option)).toEqual([option])
  })

  it('the page describes no option that does not exist', () => {
    expect(rows.filter(row => !GUARD_OPTIONS.includes(row))).toEqual(['onLimited', 'limiter'])
  })

  it('the README of core describes each option of a limiter once', () => {
    expect(limiterRows.toSorted()).toEqual([...LIMITER_OPTIONS].toSorted())
  })

  it('the page fits a terminal of 100 columns', () => {
    expect(page.split('\n').filter(line => line.length > 100)).toEqual([])
  })

  it.each(['express', 'fastify', 'hono', 'nest'])('the README of %s links the page', adapter => {
    const readme = readFileSync(new URL(`packages/${adapter}/README.md`, root), 'utf8')
    expect(readme).toContain('https://github.com/halt-limits/halt/blob/main/docs/adapter-options.md')
  })

  async function serve(example: number): Promise<string> {
    const folder = fileURLToPath(new URL(`.page${example}-examples`, import.meta.url))
    mkdirSync(folder, { recursive: true })
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const run = await runPageExample(folder, 'adapter-options', examplesOf(page)[example] ?? '')
    onTestFinished(() => run.close())
    return run.urls[0] ?? ''
  }

  it('an example of the page takes two of three reports', async () => {
    const url = await serve(0)
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${url}/reports`)).status)
    expect(statuses).toEqual([200, 200, 429])
  })

  it('an example of the page has three limits, and refuses whoever uses up the smallest', async () => {
    const url = await serve(1)
    const { headers } = await fetch(`${url}/data`)
    expect(headers.get('ratelimit')).toMatch(
      /^"second";r=9;t=\d, "hour";r=999;t=\d, "everybody";r=4999;t=\d$/,
    )
    // All at once, because the bucket refills by ten per second.
    const began = performance.now()
    const answers = await Promise.all(Array.from({ length: 60 }, () => fetch(`${url}/data`)))
    const seconds = (performance.now() - began) / 1000
    const refused = answers.filter(({ status }) => status === 429)
    const admitted = answers.filter(({ status }) => status === 200).length
    expect(admitted + refused.length).toBe(60)
    expect(admitted).toBeGreaterThanOrEqual(9)
    expect(admitted).toBeLessThanOrEqual(9 + 1 + 10 * seconds)
    for (const { headers } of refused)
      expect(headers.get('ratelimit')).toMatch(/^"second";r=0;t=\d, "hour";r=9/)
  })
})
