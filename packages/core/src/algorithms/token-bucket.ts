import { MAX_EXACT, type Rule, type State } from './rule.ts'
import type { Algorithm } from './algorithm.ts'

/**
 * Token bucket: `capacity` units at once, refilled continuously at `limit` units per `window`.
 *
 * The state holds an integer *debt*, which is how empty the bucket is. A charged unit adds `unit` to the debt, and a
 * microsecond pays `rate` back, where unit / rate = window / limit in lowest terms. So nothing is rounded. A new key has no
 * debt.
 *
 * State: `[cooldown, at, debt, unit, rate]`: the debt at `at`, the instant of the last change, and the terms of that debt. They
 * give the instant at which the bucket is full. If a policy changes its terms, used units stay used. The time since the last
 * change is then paid back at the new rate, and the bucket is full at that instant at the latest.
 *
 * Source: the "meter" form of the leaky bucket, ITU-T I.371 annex A (GCRA), in integers.
 */
export const tokenBucket: Algorithm = {
  layout: 'bucket',
  refills: true,
  isQuota: false,
  isFlight: false,

  fits: (state, now, cost, rule) => debtAt(state, now, rule) + cost * rule.unit <= rule.capacity * rule.unit,

  charge(state, now, cost, rule) {
    const debt = debtAt(state, now, rule) + cost * rule.unit
    keep(state, now, debt < MAX_EXACT ? debt : MAX_EXACT, rule)
  },

  chargeLater(state, now, wait, cost, rule) {
    // What is paid back until the start, and left over, is lost.
    const debt = Math.max(debtAt(state, now, rule), wait * rule.rate) + cost * rule.unit
    keep(state, now, debt < MAX_EXACT ? debt : MAX_EXACT, rule)
  },

  idle: (now, rule) => [now, 0, rule.unit, rule.rate],

  refund(state, now, amount, rule, chargedTo) {
    // Another charge would lose its start if a place in front of it became free.
    if (chargedTo > 0 && tokenBucket.freshAt(state) > chargedTo) return
    const debt = debtAt(state, now, rule)
    const back = amount * rule.unit
    keep(state, now, debt > back ? debt - back : 0, rule)
  },

  lastCharge(state, now, rule) {
    // A unit that was charged later would still count.
    if (tokenBucket.freshAt(state) <= now)
      return { from: undefined, to: now - Math.ceil(rule.unit / rule.rate), isOwn: undefined }
    const isReduced = rule.reduced !== undefined && isIn(state, rule.reduced)
    return { from: state[1]!, to: state[1]!, isOwn: isIn(state, rule) || isReduced }
  },

  freshAt: state => (state.length === 0 ? 0 : state[1]! + Math.ceil(state[2]! / state[4]!)),

  used: (state, now, rule) => Math.ceil(debtAt(state, now, rule) / rule.unit),

  remaining(state, now, rule) {
    const left = Math.floor((rule.capacity * rule.unit - debtAt(state, now, rule)) / rule.unit)
    return left > 0 ? left : 0
  },

  wait(state, now, cost, rule) {
    if (cost > rule.capacity) return Number.POSITIVE_INFINITY
    const excess = debtAt(state, now, rule) - (rule.capacity - cost) * rule.unit
    if (excess <= 0) return 0
    const wait = Math.ceil(excess / rule.rate)
    // If the debt is in other terms than the rule's, the bucket may be full before that.
    return isIn(state, rule) ? wait : Math.min(wait, tokenBucket.freshAt(state) - now)
  },

  limit: (_state, _now, rule) => rule.limit,

  chargedTo: () => 0,

  partEnd: () => Number.POSITIVE_INFINITY,

  // The time in which a full debt is paid back.
  correctableFor: rule => (rule.capacity * rule.unit) / rule.rate,
}

/** Whether a debt is in the terms of `rule`. */
function isIn(state: State, rule: Rule): boolean {
  return state[3] === rule.unit && state[4] === rule.rate
}

/** The debt at `now` in the terms of `rule`. */
function debtAt(state: State, now: number, rule: Rule): number {
  if (state.length === 0) return 0
  let debt = state[2]!
  const elapsed = now > state[1]! ? now - state[1]! : 0
  // A product above 2^53 is inexact, but still above any debt, so both comparisons are right.
  if (elapsed * state[4]! >= debt) return 0
  if (state[3] !== rule.unit) debt = convert(debt, state[3]!, rule.unit)
  const paid = elapsed * rule.rate
  return paid >= debt ? 0 : debt - paid
}

/** Converts a debt to other terms. Rounds up, by less than 1. */
function convert(debt: number, from: number, to: number): number {
  const whole = Math.floor(debt / from)
  const converted = whole * to + Math.ceil(((debt - whole * from) / from) * to)
  return converted < MAX_EXACT ? converted : MAX_EXACT
}

/** Writes a debt at `now`, in the terms of `rule`. */
function keep(state: State, now: number, debt: number, rule: Rule): void {
  if (state.length === 0) state.push(0, now, debt, rule.unit, rule.rate)
  else {
    // If the clock stepped back after a failover, the same time must not be paid back twice.
    if (now > state[1]!) state[1] = now
    state[2] = debt
    state[3] = rule.unit
    state[4] = rule.rate
  }
}
