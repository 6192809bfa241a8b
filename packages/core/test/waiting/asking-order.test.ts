// Who asks next, and which caller gets its place at once.
import { expect, it } from 'vitest'

import type { Rule } from '../../src/algorithms/index.ts'
import { Mode } from '../../src/databases/index.ts'
import { Askers } from '../../src/waiting/callers.ts'
import { Lines } from '../../src/waiting/lines.ts'
import { loneAt } from '../../src/waiting/places.ts'
import { ruleOf } from '../algorithms/table.ts'
import { asking } from './some-callers.ts'

const demand = (rule: Rule, mode: Mode = Mode.CHARGE) => ({
  rule,
  subject: 's',
  cost: 1,
  mode,
  penalized: false,
})

it('a caller whose request has ended without a word is counted no more, and the next one asks', () => {
  const dropped: number[] = []
  const lost = (seq: number) => asking(seq, { isLost: true, drop: () => void dropped.push(seq) })
  const askers = new Askers(() => {})
  const [first, second, third] = [lost(1), lost(2), asking(3)]
  for (const one of [third, first, second]) askers.join(one)
  expect(askers.first).toBe(third)
  expect(dropped).toEqual([1, 2])
  expect(askers.first).toBe(third)
  expect(dropped).toEqual([1, 2])
})

it('a caller that asks again is told the units of those that came before it, and of nobody else', () => {
  const lines = new Lines()
  const group = { demands: [demand(ruleOf({ algorithm: 'token-bucket', limit: 10, window: 1 }))] }
  expect(lines.unitsBefore({ seq: 3 }, group)).toBe(0)
  for (const one of [asking(1, { most: 5 }), asking(2, { most: 2 }), asking(4)])
    lines.askersOf(group).join(one)
  expect(lines.unitsBefore({ seq: 3 }, group)).toBe(7)
})

it('a caller gets its place with the first answer where one bucket is all that it needs', () => {
  const rule = (algorithm: 'token-bucket' | 'fixed-window', counter: string) =>
    ruleOf({ algorithm, counter, limit: 10, window: 1 })
  const [one, other] = [rule('token-bucket', 'one'), rule('token-bucket', 'other')]
  const window = rule('fixed-window', 'window')
  expect(loneAt({ demands: [demand(one)] })).toBe(0)
  expect(loneAt({ demands: [demand(window, Mode.SHADOW), demand(one)] })).toBe(1)
  expect(loneAt({ demands: [demand(one), demand(other)] })).toBe(-1)
  expect(loneAt({ demands: [demand(one), demand(window)] })).toBe(-1)
  expect(loneAt({ demands: [demand(window)] })).toBe(-1)
})
