import { MAX_EXACT, type Algorithm, type Rule, type State } from './rule.ts'

/**
 * Token bucket: `capacity` units at once, refilled continuously at `limit` a `window`.
 *
 * Kept as an integer *debt*, the bucket's emptiness, so that nothing is ever rounded: a unit adds `unit`, a microsecond
 * pays back `rate`, with unit / rate = window / limit in lowest terms. A new key owes nothing.
 *
 * State: `[cooldown, at, debt, unit, rate]`: the debt at the instant of the last charge, in the terms then in force, from
 * which follows the instant at which the bucket is full. Under changed terms what was used stays used; the time since
 * the last charge is credited at the rate in force when it is read.
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

  idle: (now, rule) => [now, 0, rule.unit, rule.rate],

  refund(state, now, amount, rule) {
    const debt = debtAt(state, now, rule)
    const back = amount * rule.unit
    keep(state, now, debt > back ? debt - back : 0, rule)
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
    // Under other terms than it was charged in, the bucket may be full before that.
    return state[3] === rule.unit && state[4] === rule.rate
      ? wait
      : Math.min(wait, tokenBucket.freshAt(state) - now)
  },

  limit: (_state, _now, rule) => rule.limit,

  chargedTo: () => 0,

  // Until a full debt has flowed back.
  correctableFor: rule => (rule.capacity * rule.unit) / rule.rate,
}

/** The debt at `now` in the terms of `rule`. */
function debtAt(state: State, now: number, rule: Rule): number {
  if (state.length === 0) return 0
  let debt = state[2]!
  const elapsed = now > state[1]! ? now - state[1]! : 0
  // A product past 2^53 is inexact but still above any debt, so both comparisons are exact.
  if (elapsed * state[4]! >= debt) return 0
  if (state[3] !== rule.unit) debt = convert(debt, state[3]!, rule.unit)
  const paid = elapsed * rule.rate
  return paid >= debt ? 0 : debt - paid
}

/** The same number of units in other terms, rounded up by less than a unit of debt. */
function convert(debt: number, from: number, to: number): number {
  const whole = Math.floor(debt / from)
  const converted = whole * to + Math.ceil(((debt - whole * from) / from) * to)
  return converted < MAX_EXACT ? converted : MAX_EXACT
}

function keep(state: State, now: number, debt: number, rule: Rule): void {
  if (state.length === 0) state.push(0, now, debt, rule.unit, rule.rate)
  else {
    // A clock that stepped back (a failover) must not credit the same stretch twice.
    if (now > state[1]!) state[1] = now
    state[2] = debt
    state[3] = rule.unit
    state[4] = rule.rate
  }
}
