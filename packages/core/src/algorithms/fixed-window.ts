import { type Edges, periodEnd } from './period.ts'
import type { Algorithm, Rule, State } from './rule.ts'

/**
 * Fixed window: `limit` units from the key's first charged request until `window` later, then anew. Across an edge up to
 * twice the limit may pass. A quota is the same with calendar instants as edges, and may be granted more until its period ends.
 *
 * State: `[block, end, used]`, and `[block, end, used, granted]` where something was granted.
 */
export const fixedWindow: Algorithm = {
  fits: (state, now, cost, rule) =>
    (now < end(state) ? state[2]! : 0) + cost <= rule.limit + granted(state, now),

  charge(state, now, cost, rule, edges) {
    open(state, now, rule, edges)
    state[2]! += cost
  },

  grant(state, now, amount, rule, edges) {
    open(state, now, rule, edges)
    state[3] = Math.min((state[3] ?? 0) + amount, MOST_GRANTED)
  },

  idle: () => [0, 0],

  refund(state, now, amount, _rule, receipt) {
    // Only the window that was charged, and only while it counts.
    if (state.length === 0 || now >= state[1]! || state[1] !== receipt) return
    state[2] = state[2]! > amount ? state[2]! - amount : 0
  },

  used: (state, now) => (now < end(state) ? state[2]! : 0),

  freshAt: end,

  remaining(state, now, rule) {
    const left = rule.limit + granted(state, now) - (now < end(state) ? state[2]! : 0)
    return left > 0 ? left : 0
  },

  wait(state, now, cost, rule) {
    if (fixedWindow.fits(state, now, cost, rule)) return 0
    // A grant ends with its period: what only it has room for does not pass later.
    return cost > rule.limit ? Number.POSITIVE_INFINITY : state[1]! - now
  },

  chargedTo: end,
}

/** Units that were granted beyond the limit and count at `now`. */
export function granted(state: State, now: number): number {
  return state.length > 3 && now < state[1]! ? state[3]! : 0
}

/** Begins a window where none runs. */
function open(state: State, now: number, rule: Rule, edges: Edges | undefined): void {
  if (state.length === 0) state.push(0, 0, 0)
  if (now < state[1]!) return
  state[1] = edges === undefined ? now + rule.window : periodEnd(edges, now)
  state[2] = 0
  state.length = 3
}

// Sums of it and a limit are exact.
const MOST_GRANTED = 2 ** 40

function end(state: number[]): number {
  return state.length === 0 ? 0 : state[1]!
}
