// Runs the examples of the pages about testing: those that print as other pages' examples, those that are tests as tests.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, describe, expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { differencesIn, examplesOf, runPageExample } from '../../../tools/example.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
/** Page, and how many of its examples are run. The others are parts of a module. */
const pages = [
  ['docs/testing.md', 3],
  ['packages/conformance/README.md', 1],
] as const

// Beside the app, so that imports find its packages.
const folder = await mkdtemp(fileURLToPath(new URL('.testing-pages-', import.meta.url)))
afterAll(() => rm(folder, { recursive: true }))

describe.each(pages)('%s', async (page, count) => {
  const text = await readFile(join(root, page), 'utf8')
  const examples = examplesOf(text)
    .slice(0, count)
    .map((code, i) => ({ code, number: i + 1, name: `${page.replaceAll(/\W+/g, '-')}-${i + 1}` }))
  const isTest = ({ code }: { code: string }): boolean => /^(it|storeSuite)\(/m.test(code)

  it(`the page has ${count} examples`, () => expect(examples).toHaveLength(count))

  describe.each(examples.filter(isTest))('example $number', async ({ code, name }) => {
    const path = join(folder, `${name}.ts`)
    // A suite of a store plays one history of each kind in the short form.
    await writeFile(path, isFull ? code : code.replace(/histories: \d+/, 'histories: 1, steps: 200'))
    await import(/* @vite-ignore */ path)
  })

  it.each(examples.filter(example => !isTest(example)))(
    'example $number prints what it promises',
    async ({ code, name }) => {
      const { printed, close } = await runPageExample(folder, name, code)
      await close()
      expect(differencesIn(code, printed)).toEqual([])
    },
  )
})
