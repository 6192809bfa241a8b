import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { expect, inject, it } from 'vitest'

import { show } from '../src/show.ts'

const hook = new URL('../../benchmarks/test/typescript-hook.mjs', import.meta.url).href
const fleet = () => ({
  url: inject('redisUrl'),
  prefix: `halt:demo:${randomUUID()}:`,
  processes: 2,
  script: fileURLToPath(new URL('../src/worker-process.ts', import.meta.url)),
  flags: [`--import=${hook}`, '--conditions=halt-source'],
})

it('processes share a busy limit, also when one of them is killed', async () => {
  const lines: string[] = []
  const ok = await show({ print: line => lines.push(line), fleet, ms: 300, limit: 20_000 })
  expect(ok, lines.join('\n')).toBe(true)
  expect(lines.join('\n')).not.toContain('✗')
  expect(lines.filter(line => line.includes('✓'))).toHaveLength(5)
  expect(lines).toContain('  ✓ 20,000 are admitted, not one too many')
})
