import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import type { Start } from './starts.ts'
import type { FromWorker, Task } from './worker-run.ts'

/** What a fleet of processes did. */
export interface FleetRun {
  /** The starts of each process. */
  readonly starts: readonly (readonly Start[])[]
  /** The calls of the store by all processes; undefined if a process did not count them. */
  readonly calls: number | undefined
  /** The longest call of a process, in milliseconds; undefined if no process measured it. */
  readonly longestCall: number | undefined
}

/** How a fleet runs. */
export interface Fleet {
  /** Default: the built script beside this file. */
  readonly script?: string
  /** Milliseconds until the last process is killed; undefined for never. */
  readonly killAfter?: number | undefined
  /** The longest that all may take, in milliseconds. */
  readonly patience: number
}

/** Runs tasks side by side, each in a process of its own. They begin together, when all of them are ready. */
export async function runFleet(tasks: readonly Task[], fleet: Fleet): Promise<FleetRun> {
  const { script = fileURLToPath(new URL('worker-run.js', import.meta.url)) } = fleet
  const workers = tasks.map(task => new Worker(task, script))
  const limit = new AbortController()
  try {
    await Promise.all(workers.map(({ ready }) => ready))
    for (const worker of workers) worker.begin()
    const ended = Promise.all(workers.map(worker => worker.ended))
    if (fleet.killAfter !== undefined) void sleep(fleet.killAfter).then(() => workers.at(-1)?.kill())
    await Promise.race([ended, sleep(fleet.patience, undefined, limit)])
  } finally {
    limit.abort()
    for (const worker of workers) worker.kill()
  }
  const known = <T>(values: readonly (T | undefined)[]): T[] => values.filter(value => value !== undefined)
  const calls = known(workers.map(worker => worker.calls))
  const longest = known(workers.map(({ longestCall }) => longestCall))
  return {
    starts: workers.map(({ starts }) => starts),
    calls: calls.length === workers.length ? calls.reduce((sum, own) => sum + own, 0) : undefined,
    longestCall: longest.length === 0 ? undefined : Math.max(...longest),
  }
}

class Worker {
  readonly starts: Start[] = []
  readonly ready: Promise<unknown>
  readonly ended: Promise<unknown>
  calls: number | undefined
  longestCall: number | undefined
  readonly #child: ChildProcess

  constructor(task: Task, path: string) {
    this.#child = fork(path, [JSON.stringify(task)])
    this.ready = once(this.#child, 'message')
    this.ended = once(this.#child, 'exit')
    this.#child.on('message', (message: FromWorker) => {
      if ('asked' in message) this.starts.push(message)
      else if ('ended' in message) ({ calls: this.calls, longestCall: this.longestCall } = message)
    })
  }

  begin(): void {
    this.#child.send('begin')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
