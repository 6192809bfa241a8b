// The script decides the commonest groups on paths of their own: one bucket alone, a run of equal groups, buckets with windows.
// Here they meet what random histories meet rarely: the exact edges of windows, a clock that steps back, changed terms.
import { type Evaluation, type Group, Mode, PenaltyMode, type PenaltyRule, type Rule } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'

import { RedisStore } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const SECOND = 1e6
const START = 1_700_000_000 * SECOND
const base = { limit: 4, capacity: 4, unit: 1, rate: 1, slice: 1, precision: 1, cooldown: 0, reduced: undefined }
const bucket: Rule = { ...base, code: 't', counter: 'b:t', unit: 500_000, window: 2 * SECOND }
const fraction: Rule = { ...base, code: 't', counter: 'b:t', capacity: 7, unit: 700_000, rate: 3, window: SECOND }
const cooling: Rule = { ...bucket, counter: 'c:t', cooldown: SECOND }
const window: Rule = { ...base, code: 'f', counter: 'w:f', window: 2 * SECOND }
const quota: Rule = { ...base, code: 'q', counter: 'q:q', limit: 9, capacity: 9, window: 3 * SECOND }
const edges = [START, START + 3 * SECOND, START + 6 * SECOND] as const
const penaltyRule: PenaltyRule = {
  threshold: 2e6,
  duration: 2 * SECOND,
  decay: 1,
  severity: 1e6,
  cooldown: 0,
  factor: 1,
  maxDuration: 60 * SECOND,
}

const demandOf = (rule: Rule, subject: string, cost: number) => ({
  rule,
  subject,
  cost,
  mode: Mode.CHARGE,
  penalized: rule === bucket,
  edges: rule === quota ? edges : undefined,
})
const shapes: readonly (readonly Rule[])[] = [
  [bucket],
  [fraction],
  [cooling],
  [window],
  [quota],
  [bucket, quota],
  [bucket, window, quota],
  [cooling, window],
  [fraction, quota],
]

const step = fc.record({
  // The first three are the edges of the window, of the quota, and a step back.
  advance: fc.constantFrom(2 * SECOND, 3 * SECOND, -SECOND, 0, 1, 250_000, 500_000, SECOND - 1),
  shape: fc.nat(shapes.length - 1),
  subjects: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 4 }),
  cost: fc.constantFrom(1, 1, 1, 2, 5),
  penalty: fc.constantFrom(undefined, undefined, PenaltyMode.WATCH, PenaltyMode.READ),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function groupsOf({ shape, subjects, cost, penalty }: Step): Group[] {
  return subjects.map(subject => ({
    demands: (shapes[shape] as readonly Rule[]).map(rule => demandOf(rule, subject, cost)),
    penalty:
      penalty === undefined ? undefined : { rule: penaltyRule, subject: `p${subject}`, mode: penalty, amount: 0 },
  }))
}

/** What a decision is read from, with what a getter tells. */
function told({ now, allowed, repeated, passes, starts, states, penalty }: Evaluation): unknown {
  return { now, allowed, repeated, passes: [...passes], starts: starts.includes(true), states, penalty: [...penalty] }
}

let made = 0
it('every path of the script decides as the reference does, at edges and when the clock steps back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async steps => {
      let now = START
      const clock = (): number => now / 1000
      const reference = new ReferenceStore(clock)
      const prefix = `f${process.pid}-${++made}:`
      const store = new RedisStore({ client, clock, prefix, connection: 'shared' })
      for (const each of steps) {
        now += each.advance
        const groups = groupsOf(each)
        const expected = groups.map(group => told(reference.evaluate(group)))
        const found = await Promise.all(groups.map(group => store.evaluate(group)))
        expect(found.map(told)).toEqual(expected)
      }
    }),
    { numRuns: 60 },
  )
})
