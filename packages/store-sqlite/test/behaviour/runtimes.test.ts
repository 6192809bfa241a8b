// The drivers that runtimes have inside. Node has one from version 22.13 on.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type Report, runInBun, runInDeno } from '../../../../tools/other-runtimes.ts'

const script = new URL('../runtimes/store-suite.ts', import.meta.url)
const isInNode = process.getBuiltinModule('node:sqlite') !== undefined

async function runInNode(): Promise<Report> {
  const options = ['--conditions=halt-source', '--experimental-strip-types', '--no-warnings']
  const { stdout } = await promisify(execFile)(process.execPath, [...options, fileURLToPath(script)])
  return JSON.parse(stdout) as Report
}

function expectAll({ passed, failed }: Report): void {
  expect(failed).toEqual([])
  expect(passed).toBeGreaterThan(100)
}

it('the store suite passes on bun:sqlite', async () => {
  expectAll(await runInBun(script))
})

// The short form leaves it out, because Bun and better-sqlite3 have the rest.
it.runIf(isFull)('the store suite passes on node:sqlite in Deno', async () => {
  expectAll(await runInDeno(script))
})

it.runIf(isInNode)('the store suite passes on node:sqlite in Node', async () => {
  expectAll(await runInNode())
})
