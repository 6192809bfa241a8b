import type { Algorithm } from './algorithm.ts'
import { MOST_COUNTED, type State } from './rule.ts'

/**
 * Fixed window: at most `limit` units per window. A key's window opens with its first charged request and lasts `window`
 * microseconds. Around the end of a window up to twice the limit can pass within one window's length.
 *
 * State: `[cooldown, end, used]`: the end of the window, and the units used in it.
 *
 * Source: the fixed-window counter with a window per key, as Redis documents it for INCR ("Pattern: Rate limiter 2").
 */
export const fixedWindow: Algorithm = {
  layout: 'window',
  refills: false,
  isQuota: false,
  isFlight: false,

  reads: ({ length }) => length <= 4,

  fits: (state, now, cost, rule) => usedAt(state, now) + cost <= rule.limit,

  charge(state, now, cost, rule) {
    openWindow(state, now, now + rule.window)
    addUnits(state, cost)
  },

  // The window ends a microsecond earlier with each restart, so that its end names the charges since then, and no older ones.
  restart(state, now) {
    if (now >= windowEnd(state)) return false
    state[1]! -= 1
    state[2] = 0
    return true
  },

  idle: () => [0, 0],

  refund(state, now, amount, _rule, chargedTo) {
    // Refund only the window that was charged, and only while it is open.
    if (state.length === 0 || now >= state[1]! || state[1] !== chargedTo) return
    state[2] = state[2]! > amount ? state[2]! - amount : 0
  },

  freshAt: windowEnd,

  limit: (_state, _now, rule) => rule.limit,

  used: usedAt,

  remaining: (state, now, rule) => Math.max(0, rule.limit - usedAt(state, now)),

  wait(state, now, cost, rule) {
    if (cost > rule.limit) return Number.POSITIVE_INFINITY
    return fixedWindow.fits(state, now, cost, rule) ? 0 : state[1]! - now
  },

  lastCharge: (state, now, rule) => ({
    from: usedAt(state, now) > 0 ? state[1]! - rule.window : undefined,
    to: now,
    isOwn: undefined,
  }),

  chargedTo: windowEnd,

  partEnd: windowEnd,

  correctableFor: rule => rule.window + rule.slice,
}

/** The units used in the window that is open at `now`. */
export function usedAt(state: State, now: number): number {
  return now < windowEnd(state) ? state[2]! : 0
}

/** Adds units to the window that is open. */
export function addUnits(state: State, cost: number): void {
  const used = state[2]! + cost
  state[2] = used < MOST_COUNTED ? used : MOST_COUNTED
}

/** Opens a window that ends at `end`, unless a window is open at `now`. */
export function openWindow(state: State, now: number, end: number): void {
  if (state.length === 0) state.push(0, 0, 0)
  if (now < state[1]!) return
  state[1] = end
  state[2] = 0
}

/** The instant at which the last window ends or ended; 0 when there was none. */
export function windowEnd(state: State): number {
  return state.length === 0 ? 0 : state[1]!
}
