// Callers that wait, as several tests know them: their policies, how they ask, and what telemetry hears of them.
import { expect } from 'vitest'

import type { Policy, RateLimiter, RatePolicy, Telemetry } from '../../src/index.ts'
import type { Asking } from '../../src/waiting/callers.ts'
import type { PassingWorld } from './passing-world.ts'

export const ID = 'stripe'
export const EVEN: Policy = { name: 'calls', limit: 10, window: 1, burst: 1 }
export const api: RatePolicy = {
  name: 'api',
  limit: 10,
  window: 1,
  burst: 1,
  keyStrategy: 'custom',
  keyExtractor: () => 's',
}

/** Lets so many callers ask at once. */
export function ask(own: PassingWorld, limiter: RateLimiter, count: number): Promise<void>[] {
  return Array.from({ length: count }, (_, i) => own.acquire(limiter, ID, i, { maxWait: '1h' }))
}

/** Expects that all started in their order, that nobody waits, and that the counter is free a little later. */
export async function expectAllServed(own: PassingWorld, limiter: RateLimiter, count: number): Promise<void> {
  expect(own.starts.map(({ name }) => name)).toEqual(Array.from({ length: count }, (_, i) => i))
  await own.pass(1_200)
  expect((await limiter.explain(ID)).policies[0]?.line).toBeUndefined()
  expect((await limiter.consume(ID)).allowed).toBe(true)
}

/** A telemetry that notes what it hears of callers that wait. */
export function noting(): { telemetry: Telemetry; heard: [string, string, object][] } {
  const heard: [string, string, object][] = []
  const note = (event: string) => (key: string, detail: object) => void heard.push([event, key, detail])
  return {
    heard,
    telemetry: { onWaiting: note('waiting'), onTurn: note('turn'), onLeave: note('leave') },
  }
}

/** A caller among those that ask again, which the store has refused once. */
export function asking(seq: number, more: Partial<Asking['caller']> = {}): Asking {
  return {
    caller: { seq, isLost: false, drop() {}, deadline: 1, policy: 'p', most: 1, ask() {}, ...more },
    asksAt: 1,
    wasRefused: true,
    wake() {},
  }
}
