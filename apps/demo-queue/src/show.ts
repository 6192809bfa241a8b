import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiter } from '@halt/core'

import { type Call, early, now, overtakers } from './calls.ts'
import type { Crew } from './crew.ts'
import { coloured, picture, plain } from './picture.ts'
import type { Screen } from './screen.ts'
import type { Job } from './worker.ts'

/** What a show needs. */
export interface Show {
  readonly screen: Screen
  /** Makes the workers of a scene, which have counters of their own, and a limiter that looks at these. */
  readonly open: () => {
    readonly crew: Crew
    readonly limiter: RateLimiter
    readonly close: () => Promise<void>
  }
  /** Whether the workers are processes. */
  readonly inProcesses: boolean
  readonly workers: number
  readonly job: Job
}

// Calls that were asked for within this time may start in either order, because their ways to the store differ.
const TOLERANCE = 100
const LOST = 2

/** Shows workers that share a limit. Resolves to true if all was as it should be. */
export async function show(options: Show): Promise<boolean> {
  const { screen, job, workers, inProcesses } = options
  const all = workers * job.calls
  screen.print(`\nEach of ${workers} workers asks for ${job.calls} calls. All stand in one line`)
  const together = await perform(options, undefined)
  let ok = check(screen, `all ${all} calls started`, together.length === all)
  ok = judge(screen, together) && ok

  screen.print(
    inProcesses
      ? `\nThe same once more, and worker ${LOST + 1} is killed. It loses its own places only`
      : `\nThe same once more, and worker ${LOST + 1} leaves. The others move up`,
  )
  const calls = await perform(options, LOST)
  const others = calls.filter(({ worker }) => worker !== LOST).length
  ok = check(screen, 'all calls of the others started', others === all - job.calls) && ok
  return judge(screen, calls) && ok
}

function judge(screen: Screen, calls: readonly Call[]): boolean {
  const soon = early(calls).length
  const said = soon === 0 ? 'no call started before its time' : `${soon} calls started before their time`
  const paced = check(screen, said, soon === 0)
  const order = overtakers(calls, TOLERANCE).length === 0
  return check(screen, 'they started in the order in which they were asked for', order) && paced
}

function check(screen: Screen, what: string, holds: boolean): boolean {
  screen.print(`  ${holds ? '✓' : '✗'} ${what}`)
  return holds
}

async function perform(options: Show, lost: number | undefined): Promise<readonly Call[]> {
  const { screen, open, workers, job } = options
  const { crew, limiter, close } = open()
  const calls: Call[] = []
  const ended = new Set<number>()
  let line: string | undefined
  const draw = (): string[] => {
    const columns = Math.max(20, screen.width - 40)
    const scene = {
      workers,
      calls,
      each: job.calls,
      ended,
      from: calls[0]?.started ?? now(),
      to: now(),
      columns,
      line,
    }
    return picture(scene, screen.hasColours ? coloured : plain)
  }
  const isOver = new AbortController()
  const running = crew.run(job, call => {
    calls.push(call)
    if (lost === undefined || ended.size > 0 || calls.length < job.calls) return
    ended.add(lost)
    crew.end(lost)
  })
  const drawing = (async () => {
    while (screen.isLive && !isOver.signal.aborted) {
      line = await lineOf(limiter)
      screen.draw(draw())
      await sleep(50)
    }
  })()
  try {
    await running
  } finally {
    isOver.abort()
    await drawing
    line = undefined
    screen.end(draw())
    await close()
  }
  return calls
}

/** The line, as the limiter tells it. */
async function lineOf(limiter: RateLimiter): Promise<string> {
  const [policy] = (await limiter.explain('the service')).policies
  if (policy?.line === undefined) return 'limiter.explain: nobody waits'
  const { units, seconds } = policy.line
  return `limiter.explain: ${units} wait in line, the last one starts in ${seconds.toFixed(1)} s`
}
