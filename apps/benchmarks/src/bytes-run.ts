import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'

import { loadMemory } from './contestants/index.ts'
import { addressAt, keyAt } from './keys.ts'

/** The results of one process: the bytes that a check of a hot key allocates. */
export interface BytesRun {
  readonly bytes: number
}

// Two runs together allocate less than the new space holds, so the collector does not run.
const STEPS = 12_000

const [, , name = ''] = process.argv
const contestant = await loadMemory(name)
const opened = await contestant.open({ limit: 100_000_000, windowMs: 3_600_000 })
const key = contestant.keys === 'addresses' ? addressAt(7) : keyAt(7)
const run = async (): Promise<number> => {
  let admitted = 0
  for (let i = 0; i < STEPS; i++) if (opened.admits(await opened.ask(key))) admitted++
  return admitted
}
await opened.prepare?.(key)
// So that all of it is compiled, and what is allocated once is allocated.
for (let i = 0; i < 10; i++) await run()
globalThis.gc?.()
let collections = 0
const observer = new PerformanceObserver(list => void (collections += list.getEntries().length))
await setImmediate()
observer.observe({ entryTypes: ['gc'] })
// Once before, because the collection discards compiled code, and code that is not compiled allocates more.
await run()
const before = process.memoryUsage().heapUsed
const admitted = await run()
const bytes = (process.memoryUsage().heapUsed - before) / STEPS
await setImmediate()
observer.disconnect()
if (admitted !== STEPS) throw new Error(`${contestant.name} admitted ${admitted} of ${STEPS}`)
if (collections > 0) throw new Error(`The collector ran ${collections} times, so the bytes are not known.`)
console.log(JSON.stringify({ bytes } satisfies BytesRun))
process.exit(0)
