import { readFileSync } from 'node:fs'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'

import { differencesIn, examplesOf, type Modules, runExample } from '../../../tools/example.ts'
import { looping } from './looping-model.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

/** The model behind the gateway of the README. It searches until it is refused. */
function hotelFinder(): MockLanguageModelV3 {
  let asked = 0
  return looping(() => ({ query: `hotels, page ${++asked}` }), {
    patience: 1,
    say: ({ retryAfter }) =>
      `I cannot search any more. Ask me again in ${Math.ceil((retryAfter ?? 0) / 60)} minutes.`,
  })
}

const modules: Modules = {
  '@halt/ai-sdk': () => import('@halt/ai-sdk'),
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/tools': () => import('../src/index.ts'),
  ai: async () => ({ ...(await import('ai')), gateway: hotelFinder }),
  zod: () => import('zod'),
}

describe('the README', () => {
  it.each(examplesOf(readme))('example %# of the README prints what it promises', async code => {
    const { printed } = await runExample(code, modules)
    expect(differencesIn(code, printed.trimEnd().split('\n'))).toEqual([])
  })
})
