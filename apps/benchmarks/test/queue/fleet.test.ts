import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'
import { type RunningServer, startRedis } from '../../../../tools/servers.ts'
import { runJob } from '../../src/queue/contestant.ts'
import { queueNamed, queueNames, queues } from '../../src/queue/contestants.ts'
import { runFleet } from '../../src/queue/fleet.ts'
import { largestInversion } from '../../src/queue/starts.ts'
import type { Task } from '../../src/queue/worker-run.ts'

const PACE = { limit: 20, windowMs: 1000 }

let redis: RunningServer
let script: ProcessScript
beforeAll(async () => {
  redis = await startRedis()
  script = await processScript(new URL('../../src/queue/worker-run.ts', import.meta.url))
})
afterAll(async () => {
  await redis.stop()
  await script.remove()
})

const tasks = (name: string, processes: number, jobs: number): Task[] =>
  Array.from({ length: processes }, () => ({ name, url: redis.url, pace: PACE, jobs, askEvery: 1 }))

describe.each(queueNames)('the queue %s', name => {
  it('the queue starts the jobs of one process in their order', async () => {
    const open = await queues[name].open({ limit: 1, windowMs: 50 }, undefined)
    const starts: { asked: number; started: number }[] = []
    const ask = (asked: number): Promise<void> =>
      runJob(open, () => starts.push({ asked, started: performance.now() }))
    await Promise.all([1, 2, 3, 4].map(ask))
    expect(starts).toHaveLength(4)
    expect(largestInversion(starts)).toBe(0)
    await open.close()
  })
})

describe('a fleet of Halt through Redis', () => {
  it('a fleet of Halt starts all jobs in one line, with one call of the store for each', async () => {
    const { starts, calls, longestCall } = await runFleet(tasks('halt', 2, 6), {
      script: script.path,
      patience: 50_000,
    })
    expect(starts.map(({ length }) => length)).toEqual([6, 6])
    expect(calls).toBe(12)
    expect(longestCall).toBeGreaterThan(0)
    // The order within a process, because the ways of two processes to the store differ.
    expect(starts.map(own => largestInversion(own))).toEqual([0, 0])
  })

  it('a fleet of Halt goes on when one of its processes is killed', async () => {
    const fleet = { script: script.path, patience: 50_000, killAfter: 200 }
    const { starts } = await runFleet(tasks('halt', 3, 10), fleet)
    expect(starts.slice(0, 2).map(({ length }) => length)).toEqual([10, 10])
    expect(starts[2]!.length).toBeLessThan(10)
  })
})

it('queueNamed refuses a name that no queue has, and lists the names', () => {
  expect(() => queueNamed('nobody')).toThrow('There are: halt, flexible, bottleneck, throttle, queue.')
})
