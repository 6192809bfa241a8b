// Runs the examples of the README.
import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { differencesIn, examplesOf, runPageExample } from '../../../tools/example.ts'

const root = new URL('../../../', import.meta.url)
const pages = ['packages/overload/README.md'] as const
const examples = pages.flatMap(page =>
  examplesOf(readFileSync(new URL(page, root), 'utf8')).map((code, i) => [`${page} ${i}`, code] as const),
)

let folder: string
beforeAll(async () => {
  // Beside the test, so that imports find its packages.
  folder = await mkdtemp(fileURLToPath(new URL('.examples-', import.meta.url)))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the pages', () => {
  it.each(examples)('%s prints what it promises, and its server answers', async (name, code) => {
    const { printed, urls, close } = await runPageExample(folder, name.replaceAll(/\W/g, '-'), code)
    try {
      expect(differencesIn(code, printed)).toEqual([])
      for (const url of urls) expect((await fetch(join(url, 'health'))).status).toBeLessThan(500)
    } finally {
      await close()
    }
  })
})
