// Shared by the tests of callers that wait: a world whose clock and timers move together, millisecond by millisecond.
import { vi } from 'vitest'

import type { AcquireOptions, Decision, Identity, RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { type World, world } from '../world.ts'

/** A start of a caller: when, in milliseconds since the world began, and what its decision said. */
interface Start {
  readonly name: number | string
  readonly at: number
  readonly decision: Decision
}

/** A world in which time passes for callers that wait. */
export interface PassingWorld extends World {
  /** Milliseconds since the world began. */
  readonly now: () => number
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>
  /** The callers that were admitted, in the order of their starts. */
  readonly starts: Start[]
  /** The callers that were refused. */
  readonly refused: Start[]
  /** Asks for a caller's turn, and notes its start or its refusal. */
  readonly acquire: (
    limiter: RateLimiter,
    target: Identity,
    name: number | string,
    options?: AcquireOptions,
  ) => Promise<void>
}

/** Makes a world in which time passes. Needs fake timers. */
export function passingWorld(): PassingWorld {
  const own = world()
  const began = own.clock.now()
  const now = (): number => own.clock.now() - began
  const starts: Start[] = []
  const refused: Start[] = []
  return {
    ...own,
    now,
    starts,
    refused,
    pass: async ms => {
      // The timers that are due now run before the clock moves.
      await vi.advanceTimersByTimeAsync(0)
      for (let i = 0; i < ms; i++) {
        own.clock.advance(0.001)
        await vi.advanceTimersByTimeAsync(1)
      }
    },
    acquire: async (limiter, target, name, options) => {
      const decision = await limiter.acquire(target, options)
      ;(decision.allowed ? starts : refused).push({ name, at: now(), decision })
    },
  }
}

/** A store's counters as another process sees them. Its callers stand in a line of their own. */
export function otherProcess(store: Store): Store {
  return {
    kind: 'other-process',
    clock: () => store.clock?.(),
    evaluate: group => store.evaluate(group),
    forget: counters => store.forget(counters),
  }
}
