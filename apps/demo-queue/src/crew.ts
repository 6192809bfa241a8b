import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { RateLimiter } from '@halt/core'

import type { Call } from './calls.ts'
import { type Job, work } from './worker.ts'

/** Workers that share a limit. */
export interface Crew {
  /** Lets all workers begin. Resolves when all have ended; those that were sent away as well. */
  run(job: Job, tell: (call: Call) => void): Promise<void>
  /** Ends a worker, by its index. */
  end(worker: number): void
}

/** Workers of this process. A worker that is ended leaves the line. */
export function localCrew(workers: number, limiter: RateLimiter): Crew {
  const leaving = Array.from({ length: workers }, () => new AbortController())
  return {
    async run(job, tell) {
      await Promise.all(
        leaving.map(({ signal }, worker) => work(limiter, job, call => tell({ worker, ...call }), signal)),
      )
    },
    end: worker => leaving[worker]?.abort(new Error('The worker has left.')),
  }
}

/** What starts the process of a worker. */
export interface ProcessOptions {
  readonly url: string
  readonly prefix: string
  /** Default: the built script beside this file. */
  readonly script?: string | undefined
}

/** Workers in processes of their own. A worker that is ended is killed. */
export function processCrew(workers: number, { url, prefix, script }: ProcessOptions): Crew {
  const path = script ?? fileURLToPath(new URL('worker-process.js', import.meta.url))
  let children: ChildProcess[] = []
  return {
    async run(job, tell) {
      const args = [url, prefix, JSON.stringify(job)]
      children = Array.from({ length: workers }, () => fork(path, args))
      const ended = children.map(async child => once(child, 'exit'))
      try {
        await Promise.all(children.map(async child => once(child, 'message')))
        for (const [worker, child] of children.entries()) {
          child.on('message', (call: Omit<Call, 'worker'>) => tell({ worker, ...call }))
          child.send('begin')
        }
        await Promise.all(ended)
      } finally {
        for (const child of children) child.kill('SIGKILL')
      }
    },
    end: worker => void children[worker]?.kill('SIGKILL'),
  }
}
