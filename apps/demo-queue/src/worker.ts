import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiter } from '@halt/core'

import { now } from './calls.ts'

/** A worker's job: so many calls, asked for one after the other. */
export interface Job {
  readonly calls: number
  /** Milliseconds between two asks. */
  readonly askEvery: number
}

/** Asks for calls, and makes each of them when it is its turn. */
export async function work(
  limiter: RateLimiter,
  { calls, askEvery }: Job,
  tell: (call: { asked: number; started: number }) => void,
  signal?: AbortSignal,
): Promise<void> {
  const turns: Promise<unknown>[] = []
  for (let i = 0; i < calls && signal?.aborted !== true; i++) {
    const asked = now()
    const call = (): void => tell({ asked, started: now() })
    turns.push(limiter.run('the service', call, { maxWait: '1m', signal }))
    await sleep(askEvery)
  }
  const ends = await Promise.allSettled(turns)
  const failed = ends.find(end => end.status === 'rejected')
  if (failed !== undefined && signal?.aborted !== true) throw failed.reason
}
