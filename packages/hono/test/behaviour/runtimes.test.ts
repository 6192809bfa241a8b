import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

import type { Report } from '../runtimes/run.ts'

const onBun = new URL('../runtimes/bun.ts', import.meta.url)
const onDeno = new URL('../runtimes/deno.ts', import.meta.url)
const CONDITION = '--conditions=halt-source'

// Deno closes a connection if the handler did not read the body, with or without a limiter.
const DENOS_OWN = / > goes on after a refusal whose body nobody read: The server closed the connection/

/** Runs the suite in another runtime. */
async function run(script: URL, runtime: string, ...args: string[]): Promise<Report> {
  const { stdout } = await promisify(execFile)(runtime, [...args, CONDITION, fileURLToPath(script)])
  return JSON.parse(stdout) as Report
}

describe('the suite of all adapters', () => {
  it.skipIf(isMissing('bun'))('passes on Bun', { timeout: 60_000 }, async () => {
    const { passed, failed } = await run(onBun, 'bun')
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(100)
  })

  it.skipIf(isMissing('deno'))('passes on Deno', { timeout: 60_000 }, async () => {
    const args = ['run', '-A', '--no-config', '--node-modules-dir=manual']
    const { passed, failed } = await run(onDeno, 'deno', ...args)
    expect(failed.filter(failure => !DENOS_OWN.test(failure))).toEqual([])
    expect(passed).toBeGreaterThan(100)
  })
})

function isMissing(runtime: string): boolean {
  return spawnSync(runtime, ['--version']).status !== 0
}
