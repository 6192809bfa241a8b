import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiter } from '@halt/core'

import { now } from './calls.ts'

/** A worker's job: so many calls, asked for one after the other. */
export interface Job {
  readonly calls: number
  /** Milliseconds between two asks. */
  readonly askEvery: number
  /** How many calls of a minute may come at once, if 60 per minute are a limit too. */
  readonly minuteBurst?: number | undefined
}

/** Hears of a worker. */
export interface Listener {
  /** The worker has asked for a call. */
  asked?(): void
  /** The worker makes a call. */
  called(call: { readonly asked: number; readonly started: number }): void
}

/** The ways to end a worker. */
export interface Ends {
  /** Takes the calls that wait out of the line. */
  readonly leave?: AbortSignal
  /** Lets the worker ask for no more calls. Those that wait have their turns. */
  readonly stop?: AbortSignal
}

/** Asks for calls, and makes each of them when it is its turn. */
export async function work(
  limiter: RateLimiter,
  { calls, askEvery }: Job,
  listener: Listener,
  { leave, stop }: Ends = {},
): Promise<void> {
  const turns: Promise<unknown>[] = []
  const isOver = (): boolean => leave?.aborted === true || stop?.aborted === true
  for (let i = 0; i < calls && !isOver(); i++) {
    const asked = now()
    const call = (): void => listener.called({ asked, started: now() })
    turns.push(limiter.run('the service', call, { maxWait: '1m', signal: leave }))
    listener.asked?.()
    await sleep(askEvery)
  }
  const ends = await Promise.allSettled(turns)
  const failed = ends.find(end => end.status === 'rejected')
  if (failed !== undefined && leave?.aborted !== true) throw failed.reason
}
