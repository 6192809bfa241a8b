import { setTimeout as sleep } from 'node:timers/promises'

import type { Control } from '@halt/control'
import type { RateLimiter } from '@halt/core'
import type { Screen } from '@halt/demo-kit/screen'

import { type Call, CALLS, GAP, now } from './calls.ts'
import type { Crew } from './crew.ts'
import { coloured, type Limit, picture, plain } from './picture.ts'
import type { Job } from './worker.ts'

/** What a show needs. */
export interface Show {
  readonly screen: Screen
  /** Makes the workers of a scene, which have counters of their own, and a limiter that looks at these. */
  readonly open: (job: Job) => {
    readonly crew: Crew
    readonly limiter: RateLimiter
    /** Changes the limit of all workers. */
    readonly control: Control
    readonly close: () => Promise<void>
  }
  /** Whether the workers are processes. */
  readonly inProcesses: boolean
  /** Kills the server that holds the counters, and starts an empty one in its place. Undefined if it is not the show's own. */
  readonly loseServer?: (() => Promise<void>) | undefined
  readonly workers: number
  readonly job: Job
  /** Calls asked for within so many milliseconds may start in either order: their ways to the store differ. Default 100. */
  readonly tolerance?: number
}

/** Something that happens while callers wait. */
export interface Event {
  /** After how many starts. */
  readonly after: number
  readonly happen: (stage: Stage) => Promise<unknown> | void
}

/** What an event may do. */
interface Stage {
  readonly crew: Crew
  /** Marks a worker as ended in the picture. */
  readonly ended: (worker: number) => void
  /** Sets the limit of all workers. */
  readonly setLimit: (limit: number) => Promise<unknown>
}

/** What became of a scene. */
export interface Outcome {
  readonly calls: readonly Call[]
  /** The units that wait in line at the end. Undefined if the store does not answer. */
  readonly waiting: number | undefined
}

/** Plays a scene, draws it, and lets its events happen. @param step the milliseconds of a column */
export async function perform(
  { screen, open, workers, job }: Show,
  events: readonly Event[] = [],
  step = GAP,
): Promise<Outcome> {
  const { crew, limiter, control, close } = open(job)
  const calls: Call[] = []
  const ended = new Set<number>()
  const limits: Limit[] = []
  const happening: unknown[] = []
  const stage: Stage = {
    crew,
    ended: worker => void ended.add(worker),
    setLimit(limit) {
      if (limits.length === 0) limits.push({ at: calls[0]!.started, limit: CALLS.limit })
      limits.push({ at: now(), limit })
      return control.change(CALLS.name, { limit })
    },
  }
  let line: string | undefined
  const draw = (): string[] => {
    const columns = Math.max(20, screen.width - 40)
    const [from, to] = [calls[0]?.started ?? now(), now()]
    const scene = { workers, calls, each: job.calls, ended, from, to, columns, line, limits, step }
    return picture(scene, screen.hasColours ? coloured : plain)
  }
  const isOver = new AbortController()
  const running = crew.run(job, call => {
    calls.push(call)
    for (const { after, happen } of events) if (after === calls.length) happening.push(happen(stage))
  })
  const drawing = (async () => {
    while (screen.isLive && !isOver.signal.aborted) {
      line = await said(limiter)
      screen.draw(draw())
      await sleep(50)
    }
  })()
  try {
    await running
    await Promise.all(happening)
    return { calls, waiting: await unitsInLine(limiter) }
  } finally {
    isOver.abort()
    await drawing
    line = undefined
    screen.end(draw())
    await close()
  }
}

/** The line, as the limiter tells it: nobody knows it while the store is away. */
async function lineOf(limiter: RateLimiter) {
  const { decision, policies } = await limiter.explain('the service')
  return decision?.degraded === false ? { known: policies[0]?.line } : undefined
}

/** The units that wait in line. Undefined if the store does not answer. */
async function unitsInLine(limiter: RateLimiter): Promise<number | undefined> {
  const line = await lineOf(limiter)
  return line && (line.known?.units ?? 0)
}

async function said(limiter: RateLimiter): Promise<string> {
  const line = await lineOf(limiter)
  if (line === undefined) return 'limiter.explain: the store does not answer'
  if (line.known === undefined) return 'limiter.explain: nobody waits'
  const { units, seconds } = line.known
  return `limiter.explain: ${units} wait in line, the last one starts in ${seconds.toFixed(1)} s`
}
