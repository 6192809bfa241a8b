import type { Algorithm } from './algorithm.ts'
import { MOST_COUNTED, type Rule, type State } from './rule.ts'

/**
 * Sliding window: at most `limit` units in any interval of `window` microseconds, counted in `precision` sub-windows.
 *
 * A sub-window counts in full until its last instant has left the window. So the algorithm never admits too much, and refuses
 * for at most `window / precision` too long.
 *
 * State: `[cooldown, leaves, units, leaves, units, …]`: for each live sub-window, the instant at which it stops counting and
 * its units, the first to leave first.
 *
 * Source: the sliding-window counter over small fixed windows, without the usual weighting of the oldest one, which can admit
 * more than the limit.
 */
export const slidingWindow: Algorithm = {
  layout: 'sub-windows',
  refills: false,
  isQuota: false,
  isFlight: false,

  fits: (state, now, cost, rule) => counted(state, now) + cost <= rule.limit,

  charge(state, now, cost, rule) {
    if (state.length === 0) state.push(0)
    dropExpired(state, now)
    const units = Math.min(cost, MOST_COUNTED - sumOf(state))
    const leaves = leavesAt(now, rule)
    let at = state.length
    while (at > 1 && state[at - 2]! > leaves) at -= 2
    if (at > 1 && state[at - 2] === leaves) state[at - 1]! += units
    else state.splice(at, 0, leaves, units)
    // After a change of the window there may be too many sub-windows. Merge the oldest into the next, which counts longer.
    while (state.length > 2 * rule.precision + 3) {
      state[4]! += state[2]!
      state.splice(1, 2)
    }
  },

  idle: () => [],

  refund(state, now, amount, _rule, chargedTo) {
    if (now >= chargedTo) return
    for (let i = 1; i < state.length; i += 2) {
      if (state[i] !== chargedTo) continue
      if (state[i + 1]! > amount) state[i + 1]! -= amount
      else state.splice(i, 2)
      return
    }
  },

  freshAt: state => (state.length < 3 ? 0 : state[state.length - 2]!),

  limit: (_state, _now, rule) => rule.limit,

  used: counted,

  remaining: (state, now, rule) => Math.max(0, rule.limit - counted(state, now)),

  wait(state, now, cost, rule) {
    if (cost > rule.limit) return Number.POSITIVE_INFINITY
    let excess = counted(state, now) + cost - rule.limit
    let wait = 0
    for (let i = 1; excess > 0 && i < state.length; i += 2) {
      if (now >= state[i]!) continue
      excess -= state[i + 1]!
      wait = state[i]! - now
    }
    return wait
  },

  lastCharge(state, now, rule) {
    if (counted(state, now) === 0) return { from: undefined, to: now - rule.window, isOwn: undefined }
    const begin = state[state.length - 2]! - rule.window - rule.slice
    return { from: begin, to: Math.min(now, begin + rule.slice), isOwn: undefined }
  },

  chargedTo: (_state, now, rule) => leavesAt(now, rule),

  partEnd: (_state, now, rule) => leavesAt(now, rule) - rule.window,

  correctableFor: rule => rule.window + rule.slice,
}

/** The instant at which a unit charged at `now` stops counting, in microseconds: its sub-window leaves the window then. */
export function leavesAt(now: number, rule: Rule): number {
  return now - (now % rule.slice) + rule.slice + rule.window
}

/** The units that count at `now`. */
function counted(state: State, now: number): number {
  let sum = 0
  for (let i = 1; i < state.length; i += 2) if (now < state[i]!) sum += state[i + 1]!
  return sum
}

/** The units of all sub-windows. */
function sumOf(state: State): number {
  let sum = 0
  for (let i = 2; i < state.length; i += 2) sum += state[i]!
  return sum
}

/** Removes the sub-windows that no longer count at `now`. */
function dropExpired(state: State, now: number): void {
  let gone = 1
  while (gone < state.length && now >= state[gone]!) gone += 2
  if (gone > 1) state.splice(1, gone - 1)
}
