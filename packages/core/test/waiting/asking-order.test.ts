// Who asks next, and which caller gets its place at once.
import { expect, it } from 'vitest'

import { Mode } from '../../src/databases/index.ts'
import { Askers, type Asking } from '../../src/waiting/callers.ts'
import { loneAt } from '../../src/waiting/places.ts'
import { ruleOf } from '../algorithms/table.ts'

it('a caller whose request has ended without a word is counted no more, and the next one asks', () => {
  const dropped: number[] = []
  const asking = (seq: number, isLost: boolean): Asking => ({
    caller: {
      seq,
      isLost,
      drop: () => void dropped.push(seq),
      deadline: 1,
      policy: 'p',
      most: 1,
      ask() {},
    },
    asksAt: 1,
    wasRefused: true,
    wake() {},
  })
  const askers = new Askers(() => {})
  const [first, second, third] = [asking(1, true), asking(2, true), asking(3, false)]
  for (const one of [third, first, second]) askers.join(one)
  expect(askers.first).toBe(third)
  expect(dropped).toEqual([1, 2])
  expect(askers.first).toBe(third)
  expect(dropped).toEqual([1, 2])
})

it('a caller gets its place with the first answer where one bucket is all that it needs', () => {
  const rule = (algorithm: 'token-bucket' | 'fixed-window', counter: string) =>
    ruleOf({ algorithm, counter, limit: 10, window: 1 })
  const demand = (own: ReturnType<typeof rule>, mode: Mode = Mode.CHARGE) => ({
    rule: own,
    subject: 's',
    cost: 1,
    mode,
    penalized: false,
  })
  const [one, other] = [rule('token-bucket', 'one'), rule('token-bucket', 'other')]
  const window = rule('fixed-window', 'window')
  expect(loneAt({ demands: [demand(one)] })).toBe(0)
  expect(loneAt({ demands: [demand(window, Mode.SHADOW), demand(one)] })).toBe(1)
  expect(loneAt({ demands: [demand(one), demand(other)] })).toBe(-1)
  expect(loneAt({ demands: [demand(one), demand(window)] })).toBe(-1)
  expect(loneAt({ demands: [demand(window)] })).toBe(-1)
})
