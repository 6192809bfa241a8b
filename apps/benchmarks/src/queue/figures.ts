import { ServerWatch } from '../server-cpu.ts'
import type { Pace } from './contestant.ts'
import { type QueueName, queues } from './contestants.ts'
import { runFleet } from './fleet.ts'
import type { RushRun } from './rush-run.ts'
import { largestInversion, mostAbove, mostAhead, mostWithin, shareUsed } from './starts.ts'
import type { Task } from './worker-run.ts'

export const PROCESSES = 4
export const PACE: Pace = { limit: 100, windowMs: 1000 }

const ASK_EVERY = 2
/** When one of the processes is killed, in milliseconds after they began. */
const KILL_AFTER = 1000

/** What processes did that share a pace. */
export interface FleetFigures {
  /** Jobs that started before their time. */
  readonly ahead: number
  /** Jobs above the pace in the worst window, those that start together because a process was held up among them. */
  readonly above: number
  /** The most starts within a second. */
  readonly most: number
  /** The share of the pace that was used. */
  readonly used: number
  /** Calls of the server per job. */
  readonly calls: number
  /** Calls of the store per job, before they share calls of the server; undefined if nobody counted them. */
  readonly storeCalls: number | undefined
  /** Milliseconds. */
  readonly inversion: number
  /** The longest call of the store, in milliseconds; undefined if nobody measured it. */
  readonly longestCall: number | undefined
}

/** All figures of a queue. */
export interface QueueFigures extends FleetFigures {
  /** Seconds in which forty callers of one bucket start, and the store's calls. */
  readonly rush: RushRun
  readonly bytes: number
  readonly delay: number
  /** Jobs that the other processes did not start after one was killed. */
  readonly lost: number
}

/** Lets processes start jobs at a pace, and fails if a job does not start. */
export async function measureFleet(name: QueueName, url: string, jobs: number): Promise<FleetFigures> {
  const watch = new ServerWatch(url)
  try {
    await watch.clear()
    await watch.start()
    const run = await runFleet(tasksOf(name, url, jobs), { patience: patienceFor(jobs) })
    const server = await watch.stop()
    const starts = run.starts.flat()
    const all = jobs * PROCESSES
    if (starts.length !== all) throw new Error(`${name} started ${starts.length} of ${all} jobs`)
    return {
      ahead: mostAhead(starts, PACE),
      above: mostAbove(starts, PACE),
      most: mostWithin(starts, PACE.windowMs),
      used: shareUsed(starts, PACE),
      calls: server.calls / all,
      storeCalls: run.calls === undefined ? undefined : run.calls / all,
      inversion: largestInversion(starts),
      longestCall: run.longestCall,
    }
  } finally {
    watch.close()
  }
}

/** Kills the last of the processes. Returns the jobs that the others did not start. */
export async function killOne(name: QueueName, url: string, jobs: number): Promise<number> {
  const fleet = { patience: patienceFor(jobs), killAfter: KILL_AFTER }
  const { starts } = await runFleet(tasksOf(name, url, jobs), fleet)
  const others = starts.slice(0, -1).flat().length
  return jobs * (PROCESSES - 1) - others
}

function tasksOf(name: QueueName, url: string, jobs: number): Task[] {
  const pace = queues[name].isShared ? PACE : { ...PACE, limit: PACE.limit / PROCESSES }
  return Array.from({ length: PROCESSES }, () => ({ name, url, pace, jobs, askEvery: ASK_EVERY }))
}

/** Twice the time that the jobs take at the pace, and some seconds to begin. */
function patienceFor(jobs: number): number {
  return (2 * jobs * PROCESSES * PACE.windowMs) / PACE.limit + 5000
}
