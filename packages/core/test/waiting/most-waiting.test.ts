// `mostWaiting` bounds whoever waits, whatever it waits for.
import { describe, expect, it } from 'vitest'

import type { Given } from '../line/several/counters.ts'
import { aTown } from '../line/several/town-rows.ts'
import { mostHeld } from '../line/several/judges.ts'
import { inVirtualTime } from '../line/rows.ts'

inVirtualTime()

const one = { name: 'one', keyStrategy: 'user' } as const
const bucket: Given = { ...one, limit: 1, window: '1s', burst: 1 }

/** Policies of which one caller may start at once, and the others wait. */
const KINDS: Readonly<Record<string, readonly Given[]>> = {
  'a bucket': [bucket],
  'two buckets': [bucket, { ...bucket, name: 'two', limit: 60, window: '1m', burst: 60 }],
  'a fixed window': [{ ...one, algorithm: 'fixed-window', limit: 1, window: '1s' }],
  'a sliding window': [{ ...one, algorithm: 'sliding-window', limit: 1, window: '1s' }],
  'a bucket and a window': [
    bucket,
    { ...one, name: 'two', algorithm: 'fixed-window', limit: 2, window: '1m' },
  ],
  'a quota': [{ ...one, period: 'hourly', limit: 1 }],
  'requests in flight': [{ ...one, algorithm: 'concurrency', limit: 1, ttl: '10m' }],
  'a bucket with headroom': [{ ...one, limit: 2, window: '1s', headroom: 0.5 }],
  'a fair bucket': [{ ...bucket, keyStrategy: 'shared', fair: { by: 'user' } } as Given],
}

for (const [name, policies] of Object.entries(KINDS))
  describe(`callers of ${name}`, () => {
    for (const [how, gapMs, isDirect] of [
      ['at once', 0, false],
      ['one after the other', 20, false],
      ['at once on a store in memory', 0, true],
    ] as const)
      it(`two of 16 callers of ${name} that come ${how} wait where mostWaiting is 2, and 13 are refused`, async () => {
        const isHeld = name === 'requests in flight'
        const town = await aTown({
          policies,
          isDirect,
          limiter: { mostWaiting: 2 },
          ...(isHeld ? { heldMs: 900 } : {}),
        })
        for (let i = 0; i < 16; i++) {
          town.ask({ maxWaitMs: 7_200_000 })
          await town.pass(gapMs)
        }
        await town.pass(50)
        expect(town.calls.map(({ end }) => end)).toEqual([
          'started',
          undefined,
          undefined,
          ...Array(13).fill('refused'),
        ])
        expect(mostHeld(town)).toBe(2)
        expect(town.core.waitingRoom.size).toBe(2)
        for (const { retryAfter, end } of town.calls)
          if (end === 'refused') expect(retryAfter).toBeGreaterThan(0)
        for (const { leaving } of town.waiting) leaving.abort()
        await town.pass(4000)
        expect(town.core.waitingRoom.size).toBe(0)
      })

    it(`a caller of ${name} waits again as soon as one of two has left where mostWaiting is 2`, async () => {
      const town = await aTown({
        policies,
        limiter: { mostWaiting: 2 },
        ...(name === 'requests in flight' ? { heldMs: 900 } : {}),
      })
      for (let i = 0; i < 4; i++) {
        town.ask({ maxWaitMs: 7_200_000 })
        await town.pass(20)
      }
      town.calls[1]!.leaving.abort()
      await town.pass(20)
      const late = town.ask({ maxWaitMs: 7_200_000 })
      const more = town.ask({ maxWaitMs: 7_200_000 })
      await town.pass(50)
      expect(town.calls[3]!.end).toBe('refused')
      expect([late.end, more.end]).toEqual([undefined, 'refused'])
      for (const { leaving } of town.waiting) leaving.abort()
      await town.pass(4000)
    })
  })
