import { setTimeout as sleep } from 'node:timers/promises'

import type { Control, RateLimiter } from '@halt/core'

import { type Call, CALLS, early, GAP, now, overtakers } from './calls.ts'
import type { Crew } from './crew.ts'
import { coloured, type Limit, picture, plain } from './picture.ts'
import type { Screen } from './screen.ts'
import type { Job } from './worker.ts'

/** What a show needs. */
export interface Show {
  readonly screen: Screen
  /** Makes the workers of a scene, which have counters of their own, and a limiter that looks at these. */
  readonly open: () => {
    readonly crew: Crew
    readonly limiter: RateLimiter
    /** Changes the limit of all workers. */
    readonly control: Control
    readonly close: () => Promise<void>
  }
  /** Whether the workers are processes. */
  readonly inProcesses: boolean
  readonly workers: number
  readonly job: Job
  /**
   * Calls that were asked for within so many milliseconds may start in either order, because their ways to the store differ.
   * Default 100.
   */
  readonly tolerance?: number
}

const LOST = 2

/** What happens in a scene while callers wait. */
interface Plot {
  /** The worker that ends, by its index. */
  readonly lost?: number
  /** The limits that are set, and after how many starts. */
  readonly changes?: readonly { readonly after: number; readonly limit: number }[]
}

/** Shows workers that share a limit. Resolves to true if all was as it should be. */
export async function show(options: Show): Promise<boolean> {
  const { screen, job, workers, inProcesses, tolerance = 100 } = options
  const all = workers * job.calls
  screen.print(`\nEach of ${workers} workers asks for ${job.calls} calls. All stand in one line`)
  const together = await perform(options, {})
  let ok = check(screen, `all ${all} calls started`, together.length === all)
  ok = judge(screen, together, tolerance) && ok

  screen.print(
    inProcesses
      ? `\nThe same once more, and worker ${LOST + 1} is killed. It loses its own places only`
      : `\nThe same once more, and worker ${LOST + 1} leaves. The others move up`,
  )
  const calls = await perform(options, { lost: LOST })
  const others = calls.filter(({ worker }) => worker !== LOST).length
  ok = check(screen, 'all calls of the others started', others === all - job.calls) && ok
  ok = judge(screen, calls, tolerance) && ok

  const more = { ...options, job: { ...job, calls: 2 * job.calls } }
  const count = 2 * all
  const [raised, lowered] = [2 * CALLS.limit, CALLS.limit / 2]
  screen.print(
    `\nTwice as many calls. While they wait, the limit is raised to ${raised}, then lowered to ${lowered}`,
  )
  const changed = await perform(more, {
    changes: [
      { after: Math.ceil(count * 0.1), limit: raised },
      { after: Math.ceil(count * 0.45), limit: lowered },
    ],
  })
  ok = check(screen, `all ${count} calls started`, changed.length === count) && ok
  ok = check(screen, 'no call started before its time', early(changed, 1000 / raised).length === 0) && ok
  // Not all workers hear of a change at the same instant, so calls of one worker may overtake those of another meanwhile.
  const each = Array.from({ length: workers }, (_, index) => changed.filter(({ worker }) => worker === index))
  const order = each.every(own => overtakers(own, tolerance).length === 0)
  return check(screen, 'those of each worker started in the order in which they were asked for', order) && ok
}

function judge(screen: Screen, calls: readonly Call[], tolerance: number): boolean {
  const soon = early(calls).length
  const said = soon === 0 ? 'no call started before its time' : `${soon} calls started before their time`
  const paced = check(screen, said, soon === 0)
  const order = overtakers(calls, tolerance).length === 0
  return check(screen, 'they started in the order in which they were asked for', order) && paced
}

function check(screen: Screen, what: string, holds: boolean): boolean {
  screen.print(`  ${holds ? '✓' : '✗'} ${what}`)
  return holds
}

async function perform(options: Show, { lost, changes = [] }: Plot): Promise<readonly Call[]> {
  const { screen, open, workers, job } = options
  const { crew, limiter, control, close } = open()
  const calls: Call[] = []
  const ended = new Set<number>()
  const limits: Limit[] = []
  const changing: Promise<unknown>[] = []
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
      limits,
      // A scene with changes is longer.
      step: changes.length === 0 ? GAP : 2.5 * GAP,
    }
    return picture(scene, screen.hasColours ? coloured : plain)
  }
  const isOver = new AbortController()
  const running = crew.run(job, call => {
    calls.push(call)
    const change = changes.find(({ after }) => after === calls.length)
    if (change !== undefined) {
      if (limits.length === 0) limits.push({ at: calls[0]!.started, limit: CALLS.limit })
      limits.push({ at: now(), limit: change.limit })
      changing.push(control.change(CALLS.name, { limit: change.limit }))
    }
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
    await Promise.all(changing)
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
