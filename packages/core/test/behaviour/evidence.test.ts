// docs/evidence.md has a row for each promise of RELIABILITY.md, and what its rows name exists.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

import { promises } from '../../../../tools/evidence/promises.mjs'
import { rows } from '../../../../tools/evidence/rows.mjs'
import { pageWith } from '../../../../tools/evidence/table.mjs'

const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../../${name}`, import.meta.url)), 'utf8')
const page = read('docs/evidence.md')
const broken = new Set(rows().flatMap(({ promises: own }) => own))
const [, list = ''] = /\n### Not broken on purpose\n([^#]+)/.exec(page) ?? []
/** Promises that the page names with the reason why no patch breaks them. */
const unbroken: string[] = list.match(/(?<=^- ).+(?= — .{10})/gm) ?? []

describe('docs/evidence.md', () => {
  it('the promises are those of the page', () => {
    const all = promises()
    expect(all).toContain('RELIABILITY.md: A refusal costs nothing.')
    expect(all).toContain('RELIABILITY.md: token bucket')
    expect(all).toContain('RELIABILITY.md: When a process ends')
    expect(all.length).toBeGreaterThan(50)
    expect(new Set(all).size).toBe(all.length)
  })

  it.each(promises())('a patch breaks this promise, or the page says why none does: %s', promise => {
    expect([broken.has(promise), unbroken.includes(promise)].filter(Boolean).length).toBe(1)
  })

  it('every promise that a patch or the page names is still made', () => {
    expect([...broken, ...unbroken].filter(promise => !promises().includes(promise))).toEqual([])
  })

  it('the tables are those of the patches', () => {
    expect(page, 'Run node tools/evidence.mjs --print.').toBe(pageWith(page, rows()))
  })

  it.each(rows())('the patch $name names a test of a file that exists, and changes sources alone', row => {
    expect(existsSync(fileURLToPath(new URL(`../../../../${row.test}`, import.meta.url)))).toBe(true)
    const files = row.patch.match(/(?<=^\+\+\+ b\/)\S+/gm) ?? []
    expect(files.length).toBeGreaterThan(0)
    for (const file of files)
      expect(read(file).length * Number(/\/(?:src|sql)\//.test(file))).toBeGreaterThan(0)
  })
})
