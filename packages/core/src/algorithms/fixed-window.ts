import { periodEnd } from './edges.ts'
import type { Algorithm } from './rule.ts'

/**
 * Fixed window: `limit` units from the key's first charged request until `window` later, then anew. Across an edge up to
 * twice the limit may pass. A quota is the same with calendar instants as edges.
 *
 * State: `[block, end, used]`.
 */
export const fixedWindow: Algorithm = {
  fits: (state, now, cost, rule) => (now < end(state) ? state[2]! : 0) + cost <= rule.limit,

  charge(state, now, cost, rule, edges) {
    if (state.length === 0) state.push(0, 0, 0)
    if (now >= state[1]!) {
      state[1] = edges === undefined ? now + rule.window : periodEnd(edges, now)
      state[2] = 0
    }
    state[2]! += cost
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
    const left = rule.limit - (now < end(state) ? state[2]! : 0)
    return left > 0 ? left : 0
  },

  wait(state, now, cost, rule) {
    if (cost > rule.limit) return Number.POSITIVE_INFINITY
    return fixedWindow.fits(state, now, cost, rule) ? 0 : state[1]! - now
  },

  receipt: end,
}

function end(state: number[]): number {
  return state.length === 0 ? 0 : state[1]!
}
