import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { ServerWatch } from '../server-cpu.ts'
import { startServer } from '../server.ts'
import type { HotTask, WarmRun } from './hot-run.ts'

/** What several processes together got of one busy key. */
export interface HotFigures {
  /** Checks per second. */
  readonly rate: number
  readonly asked: number
  readonly admitted: number
  /** Admitted from the first ask to the last answer, warm-up included. */
  readonly admittedInAll: number
  /** Commands of the server a check, warm-up included in both. */
  readonly calls: number
  /** From the first ask to the last answer, warm-up included, in milliseconds. */
  readonly ms: number
}

const path = fileURLToPath(new URL('hot-run.js', import.meta.url))

/** Runs processes on a server of their own. They begin together. */
export async function runHot(count: number, task: Omit<HotTask, 'url'>): Promise<HotFigures> {
  const server = await startServer()
  const watch = new ServerWatch(server.url)
  const children = Array.from({ length: count }, () =>
    fork(path, [JSON.stringify({ ...task, url: server.url } satisfies HotTask)]),
  )
  try {
    await Promise.all(children.map(child => once(child, 'message')))
    await watch.start()
    const began = performance.now()
    const results = children.map(async child => (await once(child, 'message'))[0] as WarmRun)
    for (const child of children) child.send('begin')
    const runs = await Promise.all(results)
    const { calls } = await watch.stop()
    const asked = sum(runs, run => run.asked)
    const ms = Math.max(...runs.map(run => run.ms))
    return {
      rate: sum(runs, run => (run.asked / run.ms) * 1000),
      asked,
      admitted: sum(runs, run => run.admitted),
      admittedInAll: sum(runs, run => run.admitted + run.before),
      // The warm-up asks at the same pace.
      calls: calls / (asked * ((performance.now() - began) / ms)),
      ms: performance.now() - began,
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    watch.close()
    await server.stop()
  }
}

function sum(runs: readonly WarmRun[], read: (run: WarmRun) => number): number {
  return runs.reduce((total, run) => total + read(run), 0)
}
