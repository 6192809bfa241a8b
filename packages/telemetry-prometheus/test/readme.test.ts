import { readFileSync } from 'node:fs'
import { register } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'

import { differencesIn, examplesOf, forgetMetrics, type Modules, runExample } from '../../../tools/example.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const modules: Modules = {
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/telemetry-prometheus': () => import('../src/index.ts'),
  'prom-client': () => import('prom-client'),
}

// The examples count in the registry of the process, in which other examples may have counted.
beforeEach(() => forgetMetrics(register))

describe('the README', () => {
  it.each(examplesOf(readme))('example %# of the README prints what it promises', async code => {
    expect(code).toContain('// → ')
    const { printed } = await runExample(code, modules)
    expect(differencesIn(code, printed.trimEnd().split('\n'))).toEqual([])
  })
})
