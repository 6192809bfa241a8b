import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { expect, it } from 'vitest'

import { pagesIn, readSource, ROOT } from '../../src/pages/repository.ts'

/** The tests that run examples of pages. */
const runners = ['packages', 'apps'].flatMap(folder =>
  readdirSync(join(ROOT, folder)).flatMap(name => testsIn(join(ROOT, folder, name, 'test'))),
)
const withExamples = pagesIn('docs').filter(page => /^```(?:ts|js)$/m.test(readSource(page)))

it('the site finds the tests, and the pages with examples', () => {
  expect(runners.length).toBeGreaterThan(10)
  expect(withExamples).toContain('docs/quotas.md')
})

// The recipes, the migration guides and the pages of errors are run by their folder.
it.each(withExamples)('a test that runs examples reads the page %s', page => {
  const name = basename(page, '.md')
  const file = new RegExp(`['"\`/]${name}\\.md['"\`]`)
  // A list of names without their ending.
  const listed = new RegExp(`^ *'${name}',$|[[ ]'${name}'[,\\]]`, 'm')
  const reads = (text: string): boolean =>
    file.test(text) || (text.includes('${name}.md`') && listed.test(text))
  expect(runners.some(reads)).toBe(true)
})

function testsIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true })
      .filter(file => String(file).endsWith('.test.ts'))
      .map(file => readFileSync(join(folder, String(file)), 'utf8'))
      .filter(text => /tools\/example\.ts|tools\/readme-suite\.ts/.test(text))
  } catch {
    return []
  }
}
