import {
  type HaltWarning,
  isLimited,
  type Policy,
  RateLimiter,
  type RateLimiterOptions,
  type Store,
} from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { expect } from 'vitest'

import {
  guardTools,
  isToolRefusal,
  type ToolGuard,
  type ToolGuardOptions,
  type ToolLimitedError,
  type ToolRefusal,
} from '../src/index.ts'

export const ANN = { user: 'ann' }
const CALLS = { name: 'tool_calls', limit: 100, window: '1h', keyStrategy: 'user' } as const
const EVERYBODY = { name: 'everybody', limit: 1000, window: '1h', keyStrategy: 'shared' } as const

/** What an app knows of a call. */
export interface Session {
  readonly userId?: string
}

interface Scene {
  readonly guard: ToolGuard<Session>
  readonly limiter: RateLimiter
  readonly warnings: HaltWarning[]
  readonly clock: ManualClock
  /** The units left of every limit, by name. */
  left(identity?: { user: string }): Promise<Record<string, number>>
}

/** A guard of tools for users of a session, whose limits are in memory unless a store is given. */
export function scene(
  options: Partial<ToolGuardOptions<Session>> = {},
  more: Partial<RateLimiterOptions> & { readonly policy?: Policy | readonly Policy[] } = {},
): Scene {
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  const store: Store = more.store ?? new InMemoryStore({ clock: clock.now })
  const warnings: HaltWarning[] = []
  const warn = (warning: HaltWarning): void => void warnings.push(warning)
  const limiter = new RateLimiter({ policy: [CALLS, EVERYBODY], warn, ...more, store })
  const guard = guardTools<Session>({
    limiter,
    who: ({ context }) => (context.userId === undefined ? undefined : { user: context.userId }),
    tools: { '*': {} },
    ...options,
  })
  return {
    guard,
    limiter,
    warnings,
    clock,
    async left(identity = ANN) {
      const also = guard.limits()
      const { verdicts } = await limiter.peek(identity, { also: also.length > 0 ? also : undefined })
      return Object.fromEntries(verdicts.map(({ policy, remaining }) => [policy, remaining]))
    },
  }
}

/** A promise that the test resolves. */
export function gate<T = void>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const promise = new Promise<T>(resolve => (open = resolve))
  return { promise, open }
}

/** The refusal of a call that must be refused. */
export async function refusal(call: Promise<unknown>): Promise<ToolRefusal> {
  const error: unknown = await call.then(
    value => expect.fail(`the call ran: ${String(value)}`),
    thrown => thrown,
  )
  expect(isLimited(error)).toBe(true)
  const found = (error as ToolLimitedError).refusal
  expect((error as Error).message).toBe(found.message)
  expect(isToolRefusal(JSON.parse(JSON.stringify(found)))).toBe(true)
  return found
}
