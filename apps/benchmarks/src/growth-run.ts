import { cpuNanos } from './cpu.ts'
import { lines } from './growth/lines.ts'
import type { Step } from './growth/opened.ts'

/** The results of one process: CPU nanoseconds per step. */
export interface GrowthRun {
  readonly nanos: number
}

/** Runs steps for at least a number of CPU milliseconds, and returns the CPU time per step. */
async function runFor(step: Step, budget: number): Promise<number> {
  const start = cpuNanos()
  let [count, admitted, chunk] = [0, 0, 100]
  do {
    admitted += await runSteps(step, chunk)
    count += chunk
    // Reading the CPU time takes as long as a hundred checks, so it is read some ten times.
    if ((cpuNanos() - start) / 1e6 < budget / 10) chunk *= 2
  } while (cpuNanos() - start < budget * 1e6)
  const nanos = (cpuNanos() - start) / count
  if (admitted !== count) throw new Error(`${admitted} of ${count} requests were admitted, not all`)
  return nanos
}

// A step that answers at once is not awaited, because a turn of the microtask queue costs as much as the step.
async function runSteps(step: Step, count: number): Promise<number> {
  let admitted = 0
  for (let i = 0; i < count; i++) {
    const answer = step()
    if (typeof answer === 'boolean' ? answer : (await answer).allowed) admitted++
  }
  return admitted
}

const [, , name = '', size = '1', budget = '250'] = process.argv
const open = lines[name]
if (open === undefined) throw new Error(`No line is named "${name}".`)
const { step, fill, verify } = await open(Number(size))
await fill?.()
// Twice as long, because the compiler is at work for half a second.
await runFor(step, 2 * Number(budget))
const nanos = await runFor(step, Number(budget))
verify?.()
console.log(JSON.stringify({ nanos } satisfies GrowthRun))
process.exit(0)
