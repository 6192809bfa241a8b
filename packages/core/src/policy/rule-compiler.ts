import { algorithmOf, codes, MAX_EXACT, MOST_UNITS, type Rule } from '../algorithms/index.ts'
import { HaltError } from '../base/errors.ts'
import type { Algorithm } from './policy.ts'

/** The validated numbers of a policy. Times are in microseconds. */
export interface RuleNumbers {
  readonly algorithm: Algorithm | 'quota'
  /** The counter's name without its code: `{counter}` or `{counter}@{detail}`. */
  readonly counter: string
  readonly limit: number
  readonly capacity: number
  readonly window: number
  readonly precision: number
  readonly cooldown: number
  /** The smallest limit that a penalty may leave, which is the policy's cost. */
  readonly floor: number
}

/**
 * Compiles a policy's numbers to a rule, and to the reduced rule of a penalty with `multiplier`.
 *
 * Both rules count in the same unit, window / gcd(window, limits), so that a penalty begins and ends without rounding.
 *
 * @throws HaltError `HALT_E_ARITHMETIC` if a product would not be exact in a double
 */
export function compileRule(numbers: RuleNumbers, multiplier?: number): Rule {
  const { algorithm, limit, capacity, window, floor } = numbers
  const reduced = multiplier === undefined ? undefined : reduce(limit, multiplier, floor)
  // If there are no more permits than sub-windows, each permit has its own sub-window and ends to the microsecond.
  const isLease = algorithm === 'concurrency'
  const slice = isLease && limit <= numbers.precision ? 1 : Math.ceil(window / numbers.precision)
  const common = commonOf(window, limit, reduced)
  const make = (limitInForce: number, capacityInForce: number, variant: Rule | undefined): Rule =>
    Object.freeze({
      code: codes[algorithm],
      counter: `${numbers.counter}:${codes[algorithm]}`,
      limit: limitInForce,
      capacity: capacityInForce,
      unit: window / common,
      rate: limitInForce / common,
      // A unit stops counting at the earliest a microsecond, and at the latest a sub-window, after this length.
      window: isLease ? window - 1 : window,
      slice,
      precision: numbers.precision,
      cooldown: numbers.cooldown,
      reduced: variant,
    })
  if (algorithm === 'token-bucket' && !isExact(capacity, window / common)) {
    throw new HaltError(
      'HALT_E_ARITHMETIC',
      `A burst of ${capacity} at ${limit} per ${window / 1e6} s cannot be counted exactly.`,
      `${exactLimit(numbers, multiplier)}a smaller burst, or another algorithm.`,
    )
  }
  const variant =
    reduced === undefined
      ? undefined
      : make(reduced, reduce(capacity, multiplier as number, floor), undefined)
  return make(limit, capacity, variant)
}

/** Names the next lower limit that can be counted exactly, as the beginning of a fix. */
function exactLimit({ limit, capacity, window, floor }: RuleNumbers, multiplier?: number): string {
  const isBurst = capacity !== limit
  const isExactAt = (lower: number): boolean => {
    const reduced = multiplier === undefined ? undefined : reduce(lower, multiplier, floor)
    return isExact(isBurst ? capacity : lower, window / commonOf(window, lower, reduced))
  }
  const next = nextLower(limit, window, isBurst ? MOST_DEBT / capacity : undefined, isExactAt)
  return next === undefined || next < floor
    ? 'Choose a limit that divides the window in microseconds more evenly, '
    : `Choose the limit ${next}, which is the next lower one that can be, `
}

/** The greatest divisor of a window and of the limits in it. */
function commonOf(window: number, limit: number, reduced = 0): number {
  return gcd(gcd(window, limit), reduced)
}

/** Whether two rules have the same counter, limit, capacity and window. */
export function isSameRule(a: Rule, b: Rule): boolean {
  return (
    a === b ||
    (a.counter === b.counter && a.limit === b.limit && a.capacity === b.capacity && a.window === b.window)
  )
}

/** The rule for one of `instances` processes: its share of the limit and the capacity, each at least `floor`. */
export function shareOf(rule: Rule, instances: number, floor: number): Rule {
  if (instances <= 1) return rule
  const limit = reduce(rule.limit, 1 / instances, floor)
  const capacity = reduce(rule.capacity, 1 / instances, floor)
  const reduced = rule.reduced && shareOf(rule.reduced, instances, floor)
  const common = gcd(rule.window, limit)
  const unit = rule.window / common
  if (!algorithmOf(rule).refills || isExact(capacity, unit))
    return { ...rule, limit, capacity, unit, rate: limit / common, reduced }
  // If the share and the window have no common divisor, the products may be too large. Then divide the rule's own terms, which
  // are exact.
  const times = Math.max(1, Math.min(instances, Math.floor(MAX_EXACT / 2 / (capacity * rule.unit))))
  return { ...rule, limit, capacity, unit: rule.unit * times, reduced }
}

/** The rule with `times` as many units, or with as many as can be counted exactly. It has no cool-down. */
export function multiply(rule: Rule, counter: string, times: number): Rule {
  const { refills } = algorithmOf(rule)
  const most = Math.floor(MOST_UNITS / Math.max(rule.limit, rule.capacity))
  const exact = refills ? Math.floor(MOST_DEBT / (rule.capacity * rule.unit)) : most
  const factor = Math.max(1, Math.min(times, most, exact))
  return Object.freeze({
    ...rule,
    counter,
    limit: rule.limit * factor,
    capacity: rule.capacity * factor,
    rate: rule.rate * factor,
    cooldown: 0,
    reduced: rule.reduced && multiply(rule.reduced, counter, factor),
  })
}

// Half of the exact integers, because a full bucket's debt and a charge are added.
const MOST_DEBT = MAX_EXACT / 2

function isExact(capacity: number, unit: number): boolean {
  return capacity * unit <= MOST_DEBT
}

// Never below the policy's cost, because a penalty slows a client down and does not ban it.
function reduce(units: number, multiplier: number, floor: number): number {
  return Math.min(units, Math.max(1, floor, Math.floor(units * multiplier)))
}

/** How many multiples of each divisor are tried. The limit under a penalty has to fit as well. */
const TRIES = 12

/**
 * Finds the greatest limit below `limit` that a bucket can count exactly. Undefined if none was found.
 *
 * A multiple of a divisor of the window has a unit of at most window / divisor. So it is enough to try the multiples of each
 * divisor.
 *
 * @param window microseconds
 * @param mostUnit the largest unit that the burst allows; undefined if the burst is the limit itself
 */
function nextLower(
  limit: number,
  window: number,
  mostUnit: number | undefined,
  isExact: (limit: number) => boolean,
): number | undefined {
  const candidates: number[] = []
  for (const divisor of divisorsOf(window)) {
    if (mostUnit !== undefined && window / divisor > mostUnit) continue
    const most = mostUnit === undefined ? Math.floor(MOST_DEBT / window) : Number.POSITIVE_INFINITY
    const times = Math.min(Math.floor((limit - 1) / divisor), most)
    for (let i = 0; i < TRIES && i < times; i++) candidates.push(divisor * (times - i))
  }
  return candidates.sort((a, b) => b - a).find(isExact)
}

/** The greatest common divisor of two whole numbers. */
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}

function divisorsOf(whole: number): number[] {
  let divisors = [1]
  let rest = whole
  for (let prime = 2; rest > 1; prime++) {
    if (prime * prime > rest) prime = rest
    let power = 1
    const before = divisors
    while (rest % prime === 0) {
      rest /= prime
      power *= prime
      const times = power
      divisors = [...divisors, ...before.map(divisor => divisor * times)]
    }
  }
  return divisors
}
