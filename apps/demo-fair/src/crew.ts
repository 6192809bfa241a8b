import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import type { RateLimiter } from '@halt/core'

import { type Asker, startAsking, type Told, type Who } from './asking.ts'
import type { Ask } from './tenants.ts'

type Tell = (told: Told) => void

/** This process alone, which asks for all tenants. */
export async function localCrew(limiter: RateLimiter<Ask>, tell: Tell): Promise<Asker> {
  return startAsking(limiter, 1, tell)
}

/** What starts the processes. */
export interface ProcessOptions {
  readonly url: string
  readonly prefix: string
  readonly processes: number
  /** Default: the built script beside this file. */
  readonly script?: string | undefined
}

/** Processes that ask for the tenants together. Resolves when all are ready and have begun. */
export async function processCrew(
  { url, prefix, processes, script }: ProcessOptions,
  tell: Tell,
): Promise<Asker> {
  const path = script ?? fileURLToPath(new URL('ask-process.js', import.meta.url))
  const children = Array.from({ length: processes }, () => fork(path, [url, prefix, String(processes)]))
  const ends = children.map(child => once(child, 'exit'))
  try {
    await Promise.all(children.map(child => once(child, 'message')))
  } catch (error) {
    end(children)
    throw error
  }
  for (const child of children) child.on('message', (told: Told) => tell(told))
  const say = (word: Who | 'stop'): void => {
    for (const child of children) if (child.connected) child.send(word)
  }
  say('all')
  return {
    let: say,
    async stop() {
      say('stop')
      try {
        await Promise.all(ends)
      } finally {
        end(children)
      }
    },
  }
}

function end(children: readonly ChildProcess[]): void {
  for (const child of children) child.kill('SIGKILL')
}
