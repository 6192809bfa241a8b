import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'
import { candidatesFor } from '../../src/replay/candidates.ts'

const KEYS = 60_000
const now = Date.UTC(2026, 10, 24)

describe.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)('candidates by %s', algorithm => {
  it('candidates keep the counters of sixty thousand keys apart, and forget those that are fresh again', () => {
    const policy = { name: 'a', limit: 1, window: 60, algorithm } as const
    const limiter = new RateLimiter({ store: new InMemoryStore(), policy })
    const candidates = candidatesFor(limiter, policy, [1, 2])
    const refused = (at: number): number[] =>
      candidates.map(candidate => {
        let count = 0
        for (let key = 0; key < KEYS; key++) if (!candidate.admits(key, at)) count++
        return count
      })
    expect(refused(now)).toEqual([0, 0])
    // Half a second later a bucket has not refilled a unit.
    expect(refused(now + 500)).toEqual([KEYS, 0])
    expect(refused(now + 1000)).toEqual([KEYS, KEYS])
    expect(refused(now + 200_000)).toEqual([0, 0])
    expect(refused(now + 200_500)).toEqual([KEYS, 0])
  })
})
