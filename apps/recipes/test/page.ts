// Runs the code of a recipe's page with its servers. The page shows the files of src/, which the compiler checks.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, expect } from 'vitest'

import { examplesOf, type PageRun, runPageExample } from '../../../tools/example.ts'

const docs = fileURLToPath(new URL('../../../docs/recipes/', import.meta.url))
const sources = fileURLToPath(new URL('../src/', import.meta.url))

/** The given files of `src`. The page must show them in this order, or link to one. */
export async function codeOf(page: string, files: readonly string[]): Promise<string[]> {
  const text = await readFile(join(docs, `${page}.md`), 'utf8')
  const given = await Promise.all(files.map(file => readFile(join(sources, `${file}.ts`), 'utf8')))
  const shown = given.filter((_, i) => !text.includes(`(../../apps/recipes/src/${files[i]}.ts)`))
  expect(examplesOf(text), `docs/recipes/${page}.md shows other code than apps/recipes/src`).toEqual(shown)
  return given
}

/**
 * Starts the servers of a page before each test of a file, and closes them after it, so that each finds nothing counted.
 *
 * @returns the address of the server that a file starts
 */
export function servedBy(page: string, files: readonly string[] = [page]): (file: string) => string {
  const runs = new Map<string, PageRun>()
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(fileURLToPath(new URL('.recipes-', import.meta.url)))
    for (const [i, code] of (await codeOf(page, files)).entries()) {
      const file = files[i] ?? ''
      runs.set(file, await runPageExample(folder, file, code))
    }
  })
  afterEach(async () => {
    await Promise.all([...runs.values()].map(({ close }) => close()))
    await rm(folder, { recursive: true })
  })
  return file => runs.get(file)?.urls[0] ?? `no server of ${file}`
}
