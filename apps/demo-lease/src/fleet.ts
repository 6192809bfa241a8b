import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { Redis } from 'ioredis'

import type { Count, Job } from './load.ts'

/** How the processes are started. */
export interface FleetOptions {
  readonly url: string
  readonly prefix: string
  readonly processes: number
  /** Default: the built script beside this file. */
  readonly script?: string | undefined
}

/** What all processes together asked for, and what they got. */
export interface FleetCount {
  /** Checks a second. */
  readonly rate: number
  readonly asked: number
  readonly admitted: number
  /** The calls that the store got meanwhile. */
  readonly calls: number
}

/** Lets processes ask for units of the service at the same time. Kills the last of them after `killAfter` milliseconds. */
export async function runFleet(options: FleetOptions, job: Job, killAfter?: number): Promise<FleetCount> {
  const { url, prefix, processes } = options
  const script = options.script ?? fileURLToPath(new URL('worker-process.js', import.meta.url))
  const children = Array.from({ length: processes }, () => fork(script, [url, prefix, JSON.stringify(job)]))
  const redis = new Redis(url)
  try {
    await Promise.all(children.map(child => once(child, 'message')))
    const before = await scriptCalls(redis)
    const counts = children.map(async child => (await once(child, 'message'))[0] as Count)
    const ends = children.map(child => once(child, 'exit'))
    for (const child of children) child.send('begin')
    const timer =
      killAfter === undefined ? undefined : setTimeout(() => void children.at(-1)?.send('end'), killAfter)
    const got = await Promise.all(counts)
    clearTimeout(timer)
    await Promise.all(ends)
    return {
      rate: sum(got, ({ asked, ms }) => (asked / ms) * 1000),
      asked: sum(got, ({ asked }) => asked),
      admitted: sum(got, ({ admitted }) => admitted),
      calls: (await scriptCalls(redis)) - before,
    }
  } finally {
    for (const child of children) child.kill('SIGKILL')
    redis.disconnect()
  }
}

/** How many calls of scripts the server has executed. */
async function scriptCalls(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats')
  const counts = stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)
  return sum([...counts], ([, calls]) => Number(calls))
}

function sum<T>(entries: readonly T[], read: (entry: T) => number): number {
  return entries.reduce((total, entry) => total + read(entry), 0)
}
