// Runs the example of the README with real workers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { processScript } from '../../../../tools/process-script.ts'

it('the four workers of the example of the README decide by the store of their primary', async () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, given = ''] = /```ts\n(import cluster[\s\S]*?)```/.exec(readme) ?? []
  // A busy machine may not answer within the default of 100 ms.
  const code = given.replace('new RateLimiter({', "new RateLimiter({ storeTimeout: '30s',")
  expect(code).not.toBe(given)
  const script = await processScript(new URL('readme-example.ts', import.meta.url), { code, modules: {} })
  const primary = spawn(process.execPath, [script.path], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(primary, 'exit')
  let output = ''
  try {
    for await (const text of primary.stdout) {
      output += String(text)
      if (output.split('\n').length > 4) break
    }
    expect(output).toBe('false\n'.repeat(4))
  } finally {
    primary.kill('SIGKILL')
    await ended
    await script.remove()
  }
})
