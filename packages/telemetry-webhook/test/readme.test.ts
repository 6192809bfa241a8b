import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { differencesIn, examplesOf, type Modules, runExample } from '../../../tools/example.ts'
import { SECRET, startReceiver } from './receiver.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const modules: Modules = {
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/telemetry-webhook': () => import('../src/index.ts'),
  standardwebhooks: () => import('standardwebhooks'),
}

let receiver: Awaited<ReturnType<typeof startReceiver>>
beforeAll(async () => {
  receiver = await startReceiver()
  process.env['WEBHOOK_URL'] = receiver.url
  process.env['WEBHOOK_SECRET'] = SECRET
})
afterAll(() => {
  delete process.env['WEBHOOK_URL']
  delete process.env['WEBHOOK_SECRET']
  receiver.close()
})

describe('the README', () => {
  it.each(examplesOf(readme))('example %# of the README prints what it promises', async code => {
    const { printed } = await runExample(code, modules)
    expect(differencesIn(code, printed.trimEnd().split('\n'))).toEqual([])
  })
})
