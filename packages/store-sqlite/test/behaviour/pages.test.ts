// Runs the example of the README, in a folder of its own.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect, it, onTestFinished } from 'vitest'

import { differencesIn, examplesOf, runPageExample } from '../../../../tools/example.ts'

it('the example of the README prints its lines', async () => {
  const folder = await mkdtemp(fileURLToPath(new URL('.pages-', import.meta.url)))
  onTestFinished(() => rm(folder, { recursive: true }))
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [given = ''] = examplesOf(text)
  const code = given.replace("'limits.db'", `'${join(folder, 'limits.db')}'`)
  expect(code).not.toBe(given)
  const { printed } = await runPageExample(folder, 'example', code)
  expect(differencesIn(code, printed)).toEqual([])
})
