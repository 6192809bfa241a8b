import { describe, expect, it } from 'vitest'

import { abuseScore } from '../../src/algorithms/abuse-score.ts'
import type { State } from '../../src/algorithms/index.ts'
import { compilePenalty, POINT } from '../../src/policy/penalty-config.ts'
import { micros } from './table.ts'

// A penalty of 60 s from 3 points. 3600 points per hour are forgiven, which is one per second.
const { rule } = compilePenalty({ threshold: 3, duration: 60, decayRate: 3600, cooldown: 10 })

/** Records violations at instants in seconds, and tells what the state is after each. */
function record(state: State, violations: readonly (readonly [at: number, points: number, ...unknown[]])[]) {
  return violations.map(([at, points]) => {
    const now = micros(at)
    abuseScore.record(state, now, points * POINT, rule)
    return [
      at,
      points,
      abuseScore.score(state, now, rule) / POINT,
      abuseScore.active(state, now),
      abuseScore.until(state) / micros(1),
    ]
  })
}

it('violations add points, time takes them away, and the threshold starts a penalty', () => {
  const rows = [
    // at, points, score, is a penalty active, until
    [100, 1, 1, false, 0],
    [100.5, 1, 1.5, false, 0],
    [101, 1, 2, false, 0],
    [101, 1, 3, true, 161],
    [110, 1, 1, true, 161],
    [161, 1, 1, false, 161],
    [161, 2, 3, true, 221],
  ] as const
  expect(record([], rows)).toEqual(rows)
})

it('a score neither grows nor falls while the clock is behind its last violation', () => {
  const state: State = []
  record(state, [[100, 2]])
  for (const at of [50, 99, 100]) expect(abuseScore.score(state, micros(at), rule)).toBe(2 * POINT)
})

it.each([
  // points at once, whether a penalty starts
  [2.94, false],
  [2.95, true],
])('a score of %f, rounded to a tenth, reaches a threshold of 3: %s', (points, starts) => {
  expect(record([], [[100, points]])[0]?.[3]).toBe(starts)
})

it('a violation during a penalty neither extends it nor starts another', () => {
  const state: State = []
  record(state, [[100, 3]])
  expect(abuseScore.starts(state, micros(100), rule)).toBe(true)
  record(state, [[120, 9]])
  expect(abuseScore.starts(state, micros(120), rule)).toBe(false)
  expect(abuseScore.until(state)).toBe(micros(160))
})

it.each([
  // seconds after the violation, whether a refusal is scored
  [9, false],
  [10, true],
])('a refusal %i s after a violation is scored: %s', (after, scored) => {
  const state: State = []
  record(state, [[100, 1]])
  expect(abuseScore.scores(state, micros(100 + after), rule)).toBe(scored)
})

describe('escalation', () => {
  const { rule: escalating } = compilePenalty({
    threshold: 1,
    duration: 60,
    escalation: { factor: 2, maxDuration: 200 },
  })

  it('escalation makes each further penalty longer, up to the longest', () => {
    const state: State = []
    const lengths = [100, 1000, 2000, 3000].map(at => {
      abuseScore.record(state, micros(at), POINT, escalating)
      return abuseScore.until(state) / micros(1) - at
    })
    expect(lengths).toEqual([60, 120, 200, 200])
  })
})

describe('a penalty that is applied', () => {
  it('a penalty that is applied by hand starts at once, without a score', () => {
    const state: State = []
    abuseScore.apply(state, micros(100), micros(30), rule)
    expect(abuseScore.active(state, micros(129))).toBe(true)
    expect(abuseScore.active(state, micros(130))).toBe(false)
    expect(abuseScore.score(state, micros(100), rule)).toBe(0)
    expect(abuseScore.violations(state)).toBe(0)
  })

  it('a penalty that is applied by hand never shortens a longer one', () => {
    const state: State = []
    record(state, [[100, 3]])
    abuseScore.apply(state, micros(100), micros(30), rule)
    expect(abuseScore.until(state)).toBe(micros(160))
  })
})

it.each([
  // points, the instant of freshness: after the decay, the cool-down or the penalty, whichever ends last
  [1, 110],
  [2.9, 110],
  [3, 160],
  [100, 200],
])('a state with %f points equals a fresh one from %i s', (points, fresh) => {
  const state: State = []
  record(state, [[100, points]])
  expect(abuseScore.freshAt(state)).toBe(micros(fresh))
})
