// Real workers of node:cluster, whose primary is the process of the test.
import cluster, { type Worker } from 'node:cluster'

import { type ProcessScript, processScript } from '../../../../tools/process-script.ts'
import type { Order } from './worker.ts'

/** A worker that obeys a test. */
export interface TestWorker {
  readonly worker: Worker
  /** What it has written to its standard output. */
  readonly output: () => string
  /** Tells it what to do. Resolves to what it reports. */
  tell<T = unknown>(order: Order): Promise<T>
}

let script: Promise<ProcessScript> | undefined

/** Starts a worker, and waits until it listens. */
export async function fork(env: Readonly<Record<string, string>> = {}): Promise<TestWorker> {
  script ??= processScript(new URL('worker.ts', import.meta.url))
  cluster.setupPrimary({ exec: (await script).path, execArgv: [], silent: true })
  const worker = cluster.fork(env)
  const waiting = new Map<number, { resolve: (told: never) => void; reject: (error: Error) => void }>()
  let [output, last] = ['', 0]
  worker.process.stdout?.on('data', text => void (output += String(text)))
  worker.process.stderr?.pipe(process.stderr)
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('exit', () => reject(new Error('The worker ended before it listened')))
    worker.on('message', (message: { number?: number; told?: never; failed?: Error }) => {
      const { number, told, failed } = message
      if (number === undefined) return
      if (number === 0) return resolve()
      const one = waiting.get(number)
      waiting.delete(number)
      if (failed === undefined) one?.resolve(told as never)
      else one?.reject(Object.assign(new Error(failed.message), failed))
    })
  })
  await ready
  return {
    worker,
    output: () => output,
    tell: order =>
      new Promise((resolve, reject) => {
        const number = ++last
        waiting.set(number, { resolve, reject })
        worker.send({ order, number })
      }),
  }
}

/** Ends all workers, and removes their script. */
export async function endAll(): Promise<void> {
  const left = Object.values(cluster.workers ?? {}).flatMap(worker => worker ?? [])
  await Promise.all(
    left.map(worker => {
      const ended = new Promise(resolve => worker.once('exit', resolve))
      worker.process.kill('SIGKILL')
      return ended
    }),
  )
  await (await script)?.remove()
  script = undefined
}
