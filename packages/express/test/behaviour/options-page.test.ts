// docs/adapter-options.md describes every option that the adapters share, and its example runs.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { type GuardOptions, LIMITER_OPTIONS } from '@halt/core/http'
import { describe, expect, it, onTestFinished } from 'vitest'

import { examplesOf, runPageExample } from '../../../../tools/example.ts'

const root = new URL('../../../../', import.meta.url)
const page = readFileSync(new URL('docs/adapter-options.md', root), 'utf8')

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

const rows = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, option]) => option)

describe('docs/adapter-options.md', () => {
  it.each([...new Set([...GUARD_OPTIONS, ...LIMITER_OPTIONS, 'limiter', 'onLimited'])])(
    'describes %s in one row',
    option => {
      expect(rows.filter(row => row === option)).toEqual([option])
    },
  )

  it('describes no option that does not exist', () => {
    expect(rows.filter(row => ![...GUARD_OPTIONS, ...LIMITER_OPTIONS].includes(row ?? ''))).toEqual([
      'onLimited',
      'limiter',
    ])
  })

  it('fits a terminal of 100 columns', () => {
    expect(page.split('\n').filter(line => line.length > 100)).toEqual([])
  })

  it.each(['express', 'fastify', 'hono', 'nest'])('is linked by the README of %s', adapter => {
    const readme = readFileSync(new URL(`packages/${adapter}/README.md`, root), 'utf8')
    expect(readme).toContain('https://github.com/halt-limits/halt/blob/main/docs/adapter-options.md')
  })

  it('has an example that takes two of three reports', async () => {
    const folder = fileURLToPath(new URL('.page-examples', import.meta.url))
    mkdirSync(folder, { recursive: true })
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const [code = ''] = examplesOf(page)
    const run = await runPageExample(folder, 'adapter-options', code)
    onTestFinished(() => run.close())
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await fetch(`${run.urls[0]}/reports`)).status)
    expect(statuses).toEqual([200, 200, 429])
  })
})
