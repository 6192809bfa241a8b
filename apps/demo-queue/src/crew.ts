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
  /**
   * Replaces a worker by a new one, as a deploy does: the old one asks for no more calls, finishes its line and ends, and the new one asks
   * for the calls that are left. Resolves to whether the old one has ended by itself. Undefined where workers are no processes.
   */
  readonly replace?: ((worker: number) => Promise<boolean>) | undefined
}

/** Workers of this process. A worker that is ended leaves the line. */
export function localCrew(workers: number, limiter: RateLimiter): Crew {
  const leaving = Array.from({ length: workers }, () => new AbortController())
  return {
    async run(job, tell) {
      await Promise.all(
        leaving.map(({ signal }, worker) =>
          work(limiter, job, { called: call => tell({ worker, ...call }) }, { leave: signal }),
        ),
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
export function processCrew(workers: number, options: ProcessOptions): Crew {
  return new ProcessCrew(workers, options)
}

/** A message of a worker that ends: how many calls it has not asked for. */
interface Left {
  readonly left: number
}

class ProcessCrew implements Crew {
  readonly #workers: number
  readonly #options: ProcessOptions
  /** The process of each worker, the latest. */
  readonly #children: ChildProcess[] = []
  /** The ends of all processes. More are added while workers are replaced. */
  readonly #ends: Promise<unknown>[] = []
  #tell: (call: Call) => void = () => {}
  #job: Omit<Job, 'calls'> = { askEvery: 0 }

  constructor(workers: number, options: ProcessOptions) {
    this.#workers = workers
    this.#options = options
  }

  async run(job: Job, tell: (call: Call) => void): Promise<void> {
    this.#tell = tell
    this.#job = job
    try {
      const all = Array.from({ length: this.#workers }, (_, worker) => this.#start(worker, job.calls))
      for (const child of await Promise.all(all)) child.send('begin')
      for (const end of this.#ends) await end
    } finally {
      for (const child of this.#children) child.kill('SIGKILL')
    }
  }

  end(worker: number): void {
    this.#children[worker]?.kill('SIGKILL')
  }

  replace(worker: number): Promise<boolean> {
    const replaced = this.#replace(worker)
    this.#ends.push(replaced)
    return replaced
  }

  async #replace(worker: number): Promise<boolean> {
    const old = this.#children[worker]!
    const ended = once(old, 'exit') as Promise<[code: number | null]>
    const left = new Promise<number>((resolve, reject) => {
      old.on('message', (said: Partial<Left>) => said.left === undefined || resolve(said.left))
      old.once('exit', () => reject(new Error('A worker has ended without a word.')))
    })
    old.kill('SIGTERM')
    const child = await this.#start(worker, await left)
    child.send('begin')
    const [code] = await ended
    return code === 0
  }

  /** Resolves when the process is ready to begin. */
  async #start(worker: number, calls: number): Promise<ChildProcess> {
    const { url, prefix, script } = this.#options
    const path = script ?? fileURLToPath(new URL('worker-process.js', import.meta.url))
    const child = fork(path, [url, prefix, JSON.stringify({ ...this.#job, calls })])
    this.#children[worker] = child
    this.#ends.push(once(child, 'exit'))
    await once(child, 'message')
    child.on('message', (call: Omit<Call, 'worker'>) => {
      if ('started' in call) this.#tell({ worker, ...call })
    })
    return child
  }
}
