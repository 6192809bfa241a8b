import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { processScript } from '../../../../tools/process-script.ts'
import { CAP, type Flooded } from './flooded.ts'

it('the bytes of InMemoryStore stay below the cap, whatever keys come in a flood', async () => {
  const script = await processScript(new URL('bytes-run.ts', import.meta.url))
  const args = ['--expose-gc', script.path, ...(isFull ? [] : ['--quick'])]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  await script.remove()
  const floods = JSON.parse(stdout) as Flooded[]
  expect(floods).toHaveLength(isFull ? 8 : 6)
  for (const { title, growth, most, left } of floods) {
    expect(most, title).toBeLessThanOrEqual(CAP)
    expect(growth, title).toBeLessThanOrEqual(CAP)
    expect(left, title).toBeGreaterThan(0)
  }
})
