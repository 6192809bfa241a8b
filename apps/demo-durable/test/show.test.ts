import { expect, it, onTestFinished } from 'vitest'

import { processScript } from '../../../tools/process-script.ts'
import { show } from '../src/show.ts'

it('a quota in a file lives through a killed process, and one in memory does not', async () => {
  const script = await processScript(new URL('../src/export-process.ts', import.meta.url))
  onTestFinished(script.remove)
  const lines: string[] = []
  const ok = await show({ print: line => lines.push(line), script: script.path })
  expect(ok, lines.join('\n')).toBe(true)
  expect(lines.filter(line => line.includes('✓'))).toHaveLength(3)
})
