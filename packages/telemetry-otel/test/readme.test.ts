import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { type Modules, runExample } from '../../../tools/example.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

const modules: Modules = {
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/telemetry-otel': () => import('../src/index.ts'),
  '@opentelemetry/api': () => import('@opentelemetry/api'),
  '@opentelemetry/context-async-hooks': () => import('@opentelemetry/context-async-hooks'),
  '@opentelemetry/sdk-trace-base': () => import('@opentelemetry/sdk-trace-base'),
}

describe('the examples in the README', () => {
  it.each(examples)('print what they say: %#', async code => {
    const promised = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line)
    expect(promised.length).toBeGreaterThan(0)
    const { printed } = await runExample(code, modules)
    expect(printed.trimEnd().split('\n')).toEqual(promised)
  })
})
