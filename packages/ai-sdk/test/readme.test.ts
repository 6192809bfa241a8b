import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

import { differencesIn, examplesOf, type Modules, runExample } from '../../../tools/example.ts'
import { answering, usage } from './scene.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const modules: Modules = {
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/ai-sdk': () => import('../src/index.ts'),
  // The double stands for a model behind the gateway.
  ai: async () => ({ ...(await import('ai')), gateway: () => answering('Paris.', usage(14, 7)) }),
}

describe('the README', () => {
  it.each(examplesOf(readme))('example %# of the README prints what it promises', async code => {
    const { printed } = await runExample(code, modules)
    expect(differencesIn(code, printed.trimEnd().split('\n'))).toEqual([])
  })
})
