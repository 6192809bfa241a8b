import { randomUUID } from 'node:crypto'

import { expect, inject, it, onTestFinished } from 'vitest'

import { processScript } from '../../../tools/process-script.ts'
import { show } from '../src/show.ts'

it('processes share a busy limit, also when one of them is killed', async () => {
  const script = await processScript(new URL('../src/worker-process.ts', import.meta.url))
  onTestFinished(script.remove)
  const fleet = () => ({
    url: inject('redisUrl'),
    prefix: `halt:demo:${randomUUID()}:`,
    processes: 2,
    script: script.path,
  })
  const lines: string[] = []
  const ok = await show({ print: line => lines.push(line), fleet, ms: 300, limit: 20_000 })
  expect(ok, lines.join('\n')).toBe(true)
  expect(lines.join('\n')).not.toContain('✗')
  expect(lines.filter(line => line.includes('✓'))).toHaveLength(5)
  expect(lines).toContain('  ✓ 20,000 are admitted, not one too many')
})
