// One process of a fleet: asks for its jobs one after the other, and tells each start.
import { setTimeout as sleep } from 'node:timers/promises'

import { sharedNow } from './clock.ts'
import { queueNamed } from './contestants.ts'
import { type Pace, runJob } from './contestant.ts'
import type { Start } from './starts.ts'

/** What a worker is to do. */
export interface Task {
  readonly name: string
  readonly url: string
  readonly pace: Pace
  readonly jobs: number
  /** Milliseconds between two asks. */
  readonly askEvery: number
}

/** What a worker tells: that its queue is open, each start, and the end. */
export type FromWorker =
  | { readonly ready: true }
  | Start
  | { readonly ended: true; readonly calls?: number | undefined; readonly longestCall?: number | undefined }

const task = JSON.parse(process.argv[2] ?? '') as Task
const tell = (message: FromWorker): void => void process.send?.(message)

const open = await queueNamed(task.name).open(task.pace, task.url)
process.once('message', () => void work())
tell({ ready: true })

async function work(): Promise<void> {
  const jobs: Promise<unknown>[] = []
  const began = sharedNow()
  for (let i = 0; i < task.jobs; i++) {
    const asked = sharedNow()
    jobs.push(runJob(open, () => tell({ asked, started: sharedNow() })))
    await sleep(Math.max(0, began + (i + 1) * task.askEvery - sharedNow()))
  }
  await Promise.all(jobs)
  tell({ ended: true, calls: open.calls?.(), longestCall: open.longestCall?.() })
  await open.close()
  process.disconnect()
}
