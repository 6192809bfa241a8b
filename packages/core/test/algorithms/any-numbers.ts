// Rules and states of which nothing is known but their bounds.
import {
  MAX_EXACT,
  MOST_COST,
  MOST_COUNTED,
  MOST_UNITS,
  type Rule,
  type State,
} from '../../src/algorithms/rule.ts'
import type { Symbolic, Value } from '../../../../tools/proof/symbolic.ts'

/** The latest instant: the year 2112. */
export const LATEST = 2 ** 52
export const YEAR = 366 * 86_400e6

/** What is known of every rule. */
export function boundsOf(numbers: Symbolic, { limit, capacity, unit, rate, window, slice }: Rule): string[] {
  const within = (value: number, most: number): string =>
    `(and ${numbers.is(1, '<=', value)} ${numbers.is(value, '<=', most)})`
  return [
    within(limit, MOST_UNITS),
    within(capacity, MOST_UNITS),
    within(unit, 2 ** 52),
    within(rate, MOST_UNITS),
    within(window, YEAR),
    within(slice, YEAR),
  ]
}

/** What is known of every rule of a bucket besides. */
export const fullBound = (numbers: Symbolic, { capacity, unit }: Rule): string =>
  numbers.is(numbers.exact(capacity, '*', unit), '<=', 2 ** 52)

/** Any rule. */
export function someRule(numbers: Symbolic, code: Rule['code']): Rule {
  const whole = (name: string): number => some(numbers, name, 1, MAX_EXACT)
  const rule: Rule = {
    code,
    counter: 'p',
    limit: whole('limit'),
    capacity: whole('capacity'),
    unit: whole('unit'),
    rate: whole('rate'),
    window: whole('window'),
    slice: whole('slice'),
    precision: 2,
    cooldown: 0,
    reduced: undefined,
  }
  for (const claim of boundsOf(numbers, rule)) numbers.fact(claim)
  if (code === 't') numbers.fact(fullBound(numbers, rule))
  return rule
}

/** Any whole number within bounds. */
export function some(numbers: Symbolic, name: string, low: number, high: number): number {
  return numbers.whole(name, low, high) as Value as number
}

export const someCost = (numbers: Symbolic): number => some(numbers, 'cost', 1, MOST_COST)

/** Any bucket, and the debt that whole numbers of any size find. */
export function someBucket(numbers: Symbolic): {
  rule: Rule
  state: State
  now: number
  debt: Value
  room: Value
} {
  const rule = someRule(numbers, 't')
  const at = some(numbers, 'at', 0, LATEST)
  const owed = some(numbers, 'owed', 0, MAX_EXACT)
  const elapsed = some(numbers, 'elapsed', -LATEST, LATEST)
  const now = numbers.exact(at, '+', elapsed) as Value as number
  numbers.fact(`(and ${numbers.is(0, '<=', now)} ${numbers.is(now, '<=', LATEST)})`)
  const left = numbers.exact(owed, '-', numbers.exact(elapsed, '*', rule.rate))
  const debt = numbers.whole('debt', 0, MAX_EXACT)
  numbers.fact(
    `(ite ${numbers.is(elapsed, '<=', 0)} ${numbers.is(debt, '=', owed)} (ite ${numbers.is(left, '>', 0)} ${numbers.is(debt, '=', left)} ${numbers.is(debt, '=', 0)}))`,
  )
  const room = numbers.exact(rule.capacity, '*', rule.unit)
  return { rule, state: [0, at, owed, rule.unit, rule.rate], now, debt, room }
}

/** Any sliding window with two sub-windows. */
export function someWindow(numbers: Symbolic): { rule: Rule; state: State; now: number } {
  const rule = someRule(numbers, 's')
  const first = some(numbers, 'first', 0, LATEST + 2 * YEAR)
  const second = numbers.exact(first, '+', some(numbers, 'later', 1, YEAR)) as Value as number
  const [units, more] = [some(numbers, 'units', 0, MOST_COUNTED), some(numbers, 'more', 0, MOST_COUNTED)]
  numbers.fact(numbers.is(numbers.exact(units, '+', more), '<=', MOST_COUNTED))
  return { rule, state: [0, first, units, second, more], now: some(numbers, 'now', 0, LATEST) }
}

/** Any quota in a period that is open, with a hold. */
export function someQuota(numbers: Symbolic): { rule: Rule; state: State; now: number; taken: Value } {
  const rule = someRule(numbers, 'q')
  const [end, now] = [some(numbers, 'end', 0, LATEST + YEAR), some(numbers, 'now', 0, LATEST)]
  numbers.fact(numbers.is(now, '<', end))
  const used = some(numbers, 'used', 0, MOST_COUNTED)
  const granted = some(numbers, 'granted', 0, MOST_UNITS)
  // Units are held only where they fit.
  const held = some(numbers, 'held', 1, 2 * MOST_UNITS)
  const until = some(numbers, 'until', 0, LATEST + YEAR)
  numbers.fact(numbers.is(now, '<', until))
  return { rule, state: [0, end, used, granted, until, held], now, taken: numbers.exact(used, '+', held) }
}
