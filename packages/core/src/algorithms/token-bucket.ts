import type { Algorithm } from './algorithm.ts'
import { debtAfter, hasClock } from './virtual-clock.ts'
import * as line from './line.ts'
import { MAX_EXACT, type Rule, type State } from './rule.ts'

/**
 * Token bucket: `capacity` units at once, refilled continuously at `limit` units per `window`.
 *
 * The state holds an integer *debt*, which is how empty the bucket is. A charged unit adds `unit` to the debt, and a
 * microsecond pays `rate` back, where unit / rate = window / limit in lowest terms. So nothing is rounded. A new key has no
 * debt.
 *
 * State: `[cooldown, at, debt, unit, rate]`: the debt at `at`, the instant of the last change, and the terms of the debt. They
 * give the instant at which the bucket is full. If a policy changes its terms, used units stay used. The time since the last
 * change is then paid back at the new rate, and the bucket is full at that instant at the latest. While callers wait, the
 * numbers of their {@link line} follow.
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
    keep(state, now, debtAt(state, now, rule) + cost * rule.unit, rule)
  },

  chargeFor(state, now, cost, time, rule) {
    // What is paid back until the use, and left over, is lost.
    keep(state, now, Math.max(debtAt(state, now, rule), time * rule.rate) + cost * rule.unit, rule)
  },

  line: {
    wait(state, now, cost, rule) {
      if (cost > rule.capacity) return Number.POSITIVE_INFINITY
      return line.waitBehind(paid(state, now, rule), now, cost, rule)
    },

    join(state, now, cost, rule) {
      const before = paid(state, now, rule)
      state.splice(0, state.length, ...before)
      const debt = before[2]! + cost * rule.unit
      if (line.hasLine(state) || debt > rule.capacity * rule.unit || now < state[0]!)
        line.joinLine(state, now, cost)
      // Together with the tail, because the front is between them.
      state[2] = debt < MAX_EXACT ? debt : MAX_EXACT
      if (line.hasLine(state)) line.keepLine(state, now, rule)
    },

    leave(state, now, cost, place, rule) {
      if (state.length === 0) return
      if (!line.hasLine(state)) return tokenBucket.refund(state, now, cost, rule, 0)
      line.payLine(state, now, rule)
      line.leave(state, cost, place, rule)
      line.keepLine(state, now, rule)
    },

    look(state, now, rule) {
      if (line.hasLine(state)) keep(state, now, debtAt(state, now, rule), rule)
    },

    thaw(state, now, rule) {
      if (line.hasLine(state)) line.thawLine(state, now, rule)
    },

    reset(state, now, rule) {
      if (!line.hasLine(state)) return void state.fill(0, 0, 1).fill(0, 2, 3)
      line.payLine(state, now, rule)
      line.resetLine(state, rule)
      line.keepLine(state, now, rule)
    },

    termsOf: (state, rule) => (line.hasLine(state) ? line.inTermsOf(state, rule) : rule),

    correctedBy(state, now, rule) {
      const isOwed = line.hasLine(state) || Math.max(0, now - state[1]!) * state[4]! < state[2]!
      return isOwed ? line.inTermsOf(state, rule) : rule
    },

    read(state, now, rule) {
      return line.hasLine(state) ? line.readLine(line.lineAt(state, now, rule), rule) : undefined
    },
  },

  idle: (now, rule) => [now, 0, rule.unit, rule.rate],

  refund(state, now, amount, rule) {
    if (line.hasLine(state)) {
      line.payLine(state, now, rule)
      line.refundToLine(state, amount, rule)
      return line.keepLine(state, now, rule)
    }
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

  freshAt(state) {
    // A clock ends later than its bucket.
    if (hasClock(state)) return state.at(-1)!
    if (line.hasLine(state)) return line.lineEnd(state)
    return state.length === 0 ? 0 : state[1]! + Math.ceil(state[2]! / state[4]!)
  },

  used(state, now, rule) {
    const counter = paid(state, now, rule)
    return Math.max(0, Math.ceil(counter[2]! / rule.unit) - line.unitsThatLeft(counter))
  },

  reads: state => !line.hasUnknownParts(state),

  remaining: (state, now, rule) =>
    Math.max(0, Math.floor((rule.capacity * rule.unit - debtAt(state, now, rule)) / rule.unit)),

  wait(state, now, cost, rule) {
    if (cost > rule.capacity) return Number.POSITIVE_INFINITY
    if (line.hasLine(state)) return line.waitBehind(paid(state, now, rule), now, cost, rule)
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
export function debtAt(state: State, now: number, rule: Rule): number {
  if (state.length === 0) return 0
  if (line.hasLine(state)) return line.lineAt(state, now, rule)[2]!
  return debtAfter(now > state[1]! ? now - state[1]! : 0, state, rule)
}

/** A copy of a state at `now`, in the terms of `rule`. */
function paid(state: State, now: number, rule: Rule): State {
  if (line.hasLine(state)) return line.lineAt(state, now, rule)
  const copy = [...state]
  keep(copy, now, debtAt(state, now, rule), rule)
  return copy
}

/** Writes a debt at `now`, in the terms of `rule`. A line is first brought to `now`. */
function keep(state: State, now: number, owed: number, rule: Rule): void {
  const debt = owed < MAX_EXACT ? owed : MAX_EXACT
  if (state.length === 0) return void state.push(0, now, debt, rule.unit, rule.rate)
  if (line.hasLine(state)) line.payLine(state, now, rule)
  // If the clock stepped back after a failover, the same time must not be paid back twice.
  else if (now > state[1]!) state[1] = now
  state[2] = debt
  state[3] = rule.unit
  state[4] = rule.rate
  if (line.hasLine(state)) line.keepLine(state, now, rule)
}
