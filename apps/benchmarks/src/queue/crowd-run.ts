// Many callers that wait in one process: the bytes of each, and how long the event loop is held.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

import { queueNamed } from './contestants.ts'

/**
 * `bytes`: those of the heap for each caller that waits. `delay`: the longest delay of the event loop while the callers came, waited
 * and started, in milliseconds.
 */
export type CrowdFigure = 'bytes' | 'delay'

/** The result of one process. */
export interface CrowdRun {
  readonly figure: number
}

// So many callers ask in one turn of the event loop, as when a batch of jobs is read.
const AT_ONCE = 100

const [, , what = 'bytes', name = '', count = '10000'] = process.argv
const callers = Number(count)

/** Lets callers wait at a pace. Resolves to their ends, once all of them wait. */
async function crowd(size: number, pace: { limit: number; windowMs: number }): Promise<Promise<unknown>[]> {
  const open = await queueNamed(name).open(pace, undefined)
  const ends: Promise<unknown>[] = []
  while (ends.length < size) {
    for (let i = 0; i < AT_ONCE; i++) ends.push(open.turn())
    await setImmediate()
  }
  return ends
}

function heap(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

// Compiles all, and lets the heap grow to its size.
await Promise.all(await crowd(1000, { limit: 1000, windowMs: 100 }))
await sleep(50)

const figure = what === 'bytes' ? await bytes() : await delay()
console.log(JSON.stringify({ figure } satisfies CrowdRun))
process.exit(0)

async function bytes(): Promise<number> {
  const before = heap()
  // Almost nobody starts while the heap is read.
  const waiting = await crowd(callers, { limit: 1, windowMs: 1000 })
  await setImmediate()
  return (heap() - before) / waiting.length
}

async function delay(): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await sleep(50)
  histogram.reset()
  // All start within two seconds.
  await Promise.all(await crowd(callers, { limit: Math.ceil(callers / 20), windowMs: 100 }))
  return histogram.max / 1e6
}
