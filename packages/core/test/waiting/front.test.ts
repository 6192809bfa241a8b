// The front of a line, as replies tell it that come in another order than the store gave them.
import { expect, it } from 'vitest'

import { algorithmOf, type State } from '../../src/algorithms/index.ts'
import { Front, type Heard } from '../../src/waiting/front.ts'
import { ruleOf } from '../algorithms/table.ts'

const rule = ruleOf({ algorithm: 'token-bucket', limit: 10, window: 1, capacity: 1 })

/** A bucket in whose line so many units stand at an instant of the store. */
function stateAt(now: number, units: number): State {
  const state: State = []
  for (let i = 0; i <= units; i++) algorithmOf(rule).line!.join(state, now, 1, rule)
  return state
}

it('a reply that was given before the clock of its store was set is dropped if a later one came first', () => {
  const [late, sooner] = [9e9, 1e9]
  const state = stateAt(sooner, 3)
  const place = { born: state[6]!, position: state[7]! }
  const reply: Heard = { state, rule, now: sooner, charged: 1, sent: 20_000, arrived: 30_000 }
  const front = new Front()
  expect(front.observe(reply, undefined)).toBe(false)
  const start = front.startOf(place)
  expect(start).toBe(330_000)
  const old: Heard = { ...reply, state: stateAt(late, 1), now: late, sent: 10_000, arrived: 40_000 }
  expect(front.observe(old, place)).toBeUndefined()
  expect(front.startOf(place)).toBe(start)
  // It tells of another line if it was asked later.
  expect(front.observe({ ...old, sent: 25_000 }, place)).toBeDefined()
  expect(front.startOf(place)).toBe(Number.POSITIVE_INFINITY)
})
