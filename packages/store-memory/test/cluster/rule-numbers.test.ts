import { expect, it } from 'vitest'

import { RuleNumbers } from '../../src/cluster/rule-numbers.ts'
import type { AnyRule } from '../../src/cluster/message.ts'

const rule = (): AnyRule => ({}) as AnyRule

it('a rule is sent once', () => {
  const numbers = new RuleNumbers()
  const one = rule()
  expect([numbers.of(one), numbers.of(one)]).toEqual([0, 0])
  expect(numbers.take()).toEqual({ rules: [[0, one]] })
  expect(numbers.of(one)).toBe(0)
  expect(numbers.take()).toEqual({})
})

it('a worker and its primary keep a thousand rules at the most', () => {
  const numbers = new RuleNumbers()
  const inPrimary = new Map<number, AnyRule>()
  let most = 0
  for (let i = 0; i < 5_000; i++) {
    numbers.begin()
    const one = rule()
    const number = numbers.of(one)
    const { rules = [], isAnew = false } = numbers.take()
    if (isAnew) inPrimary.clear()
    for (const [key, value] of rules) inPrimary.set(key, value)
    expect(inPrimary.get(number)).toBe(one)
    most = Math.max(most, inPrimary.size)
  }
  expect(most).toBe(1_000)
})

it('after a lost message every rule is sent again', () => {
  const numbers = new RuleNumbers()
  const one = rule()
  numbers.of(one)
  numbers.lost()
  const number = numbers.of(one)
  expect(numbers.take()).toEqual({ rules: [[number, one]], isAnew: true })
})
