import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { differencesIn, examplesOf, type Modules, runExample } from '../../../tools/example.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const modules: Modules = {
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/telemetry-otel': () => import('../src/index.ts'),
  '@opentelemetry/api': () => import('@opentelemetry/api'),
  '@opentelemetry/context-async-hooks': () => import('@opentelemetry/context-async-hooks'),
  '@opentelemetry/sdk-trace-base': () => import('@opentelemetry/sdk-trace-base'),
}

describe('the README', () => {
  it.each(examplesOf(readme))('example %# of the README prints what it promises', async code => {
    expect(code).toContain('// → ')
    const { printed } = await runExample(code, modules)
    expect(differencesIn(code, printed.trimEnd().split('\n'))).toEqual([])
  })
})
