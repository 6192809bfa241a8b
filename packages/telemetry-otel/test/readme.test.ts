import { readFileSync } from 'node:fs'
import { compileFunction } from 'node:vm'
import { describe, expect, it } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)

const packages: Record<string, () => Promise<object>> = {
  '@halt/core': () => import('@halt/core'),
  '@halt/store-memory': () => import('@halt/store-memory'),
  '@halt/telemetry-otel': () => import('../src/index.ts'),
  '@opentelemetry/api': () => import('@opentelemetry/api'),
  '@opentelemetry/context-async-hooks': () => import('@opentelemetry/context-async-hooks'),
  '@opentelemetry/sdk-trace-base': () => import('@opentelemetry/sdk-trace-base'),
}

/** Runs an example and gives what it printed. */
async function run(code: string): Promise<string> {
  let printed = ''
  const print = (...parts: unknown[]): void => void (printed += `${parts.join(' ')}\n`)
  const scope: Record<string, unknown> = { console: { log: print } }
  for (const [, names = '', from = ''] of code.matchAll(/^import { (.*) } from '(.*)'$/gm)) {
    const found = (await packages[from]?.()) as Record<string, unknown>
    for (const name of names.split(', ')) scope[name] = found[name]
  }
  const body = `return (async () => {${code.replaceAll(/^import .*$/gm, '')}\n})()`
  await (compileFunction(body, Object.keys(scope)) as (...values: unknown[]) => Promise<void>)(
    ...Object.values(scope),
  )
  return printed
}

describe('the examples in the README', () => {
  it.each(examples)('print what they say: %#', async code => {
    const promised = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line)
    expect(promised.length).toBeGreaterThan(0)
    expect((await run(code)).trimEnd().split('\n')).toEqual(promised)
  })
})
