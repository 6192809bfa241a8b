import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'

const execute = promisify(execFile)
// The short form makes a hundredth of the requests. Per request it allows more, because code is compiled meanwhile.
const [BEFORE, UNTIL, MOST] = isFull ? [300_000, 1_500_000, 10e6] : [2_000, 12_000, 1.2e6]
const WAYS = isFull ? ['consume', 'run', 'acquire', 'settle', 'release'] : ['run', 'settle', 'release']
// With no other counter, the table of the policy comes and goes with each request.
const KEYS = isFull ? ['none', 'one', 'many', 'same'] : ['none']

let script: ProcessScript

beforeAll(async () => {
  script = await processScript(new URL('growth-run.ts', import.meta.url))
})
afterAll(() => script.remove())

it.each(['token-bucket', 'fixed-window', 'sliding-window', 'concurrency', 'quota'])(
  'a process takes no more memory the longer it counts by %s, whoever gives the units back',
  { timeout: 900_000 },
  async algorithm => {
    const names = WAYS.flatMap(way => KEYS.map(keys => `${algorithm} ${way} ${keys}`))
    const { stdout } = await execute(process.execPath, [
      '--expose-gc',
      script.path,
      `${BEFORE}`,
      `${UNTIL}`,
      ...names,
    ])
    const grown = JSON.parse(stdout) as Record<string, number>
    expect(Object.keys(grown)).toEqual(names)
    for (const [name, bytes] of Object.entries(grown)) expect(bytes, name).toBeLessThan(MOST)
  },
)
