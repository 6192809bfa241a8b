import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'

const execute = promisify(execFile)
// The short form makes a hundredth of the requests. Per request it allows more, because code is compiled meanwhile.
const [BEFORE, UNTIL, MOST] = isFull ? [300_000, 1_500_000, 10e6] : [2_000, 12_000, 1.2e6]
const WAYS = isFull ? ['consume', 'run', 'acquire', 'settle', 'release'] : ['run', 'settle', 'release']
const ALGORITHMS = ['token-bucket', 'fixed-window', 'sliding-window', 'concurrency', 'quota']
/** The short form gives the units of each algorithm back in one way, and those of a bucket in all of its ways. */
const waysOf = (algorithm: string): string[] =>
  isFull || algorithm === 'token-bucket' ? WAYS : [WAYS[ALGORITHMS.indexOf(algorithm) % WAYS.length]!]
// With no other counter, the table of the policy comes and goes with each request.
const KEYS = isFull ? ['none', 'one', 'many', 'same'] : ['none']

let script: ProcessScript

beforeAll(async () => {
  script = await processScript(new URL('growth-run.ts', import.meta.url))
})
afterAll(() => script.remove())

/** The bytes by which the histories of some algorithms grew, by their names, in a process of their own. */
async function grownBy(algorithms: readonly string[]): Promise<Record<string, number>> {
  const names = algorithms.flatMap(algorithm => namesOf(algorithm))
  const args = ['--expose-gc', script.path, `${BEFORE}`, `${UNTIL}`, ...names]
  return JSON.parse((await execute(process.execPath, args)).stdout) as Record<string, number>
}

const namesOf = (algorithm: string): string[] =>
  waysOf(algorithm).flatMap(way => KEYS.map(keys => `${algorithm} ${way} ${keys}`))

// Short histories share a process, which compiles their code once.
let shared: Promise<Record<string, number>> | undefined

it.each(ALGORITHMS)(
  'a process takes no more memory the longer it counts by %s, whoever gives the units back',
  { timeout: 900_000 },
  async algorithm => {
    const grown = await (isFull ? grownBy([algorithm]) : (shared ??= grownBy(ALGORITHMS)))
    const names = namesOf(algorithm)
    expect(Object.keys(grown)).toEqual(expect.arrayContaining(names))
    for (const name of names) expect(grown[name], name).toBeLessThan(MOST)
  },
)
