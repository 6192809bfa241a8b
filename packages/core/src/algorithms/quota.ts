import { addUnits, fixedWindow, openWindow, usedAt, windowEnd } from './fixed-window.ts'
import { type Edges, periodEnd } from './period.ts'
import type { Algorithm } from './algorithm.ts'
import { MOST_UNITS, type Rule, type State } from './rule.ts'

/**
 * Quota: a fixed window whose edges are calendar instants. A grant raises its limit until the period ends.
 *
 * State: `[cooldown, end, used]`, or `[cooldown, end, used, granted]` if units were granted.
 *
 * Source: the {@link fixedWindow}, with the edges that `policy/calendar.ts` computes.
 */
export const quota: Algorithm = {
  ...fixedWindow,
  isQuota: true,

  fits: (state, now, cost, rule) => usedAt(state, now) + cost <= rule.limit + grantedAt(state, now),

  charge(state, now, cost, rule, edges) {
    openPeriod(state, now, rule, edges)
    addUnits(state, cost)
  },

  grant(state, now, amount, rule, edges) {
    openPeriod(state, now, rule, edges)
    state[3] = Math.min((state[3] ?? 0) + amount, MOST_UNITS)
  },

  limit: (state, now, rule) => rule.limit + grantedAt(state, now),

  remaining(state, now, rule) {
    const left = rule.limit + grantedAt(state, now) - usedAt(state, now)
    return left > 0 ? left : 0
  },

  lastCharge(state, now, _rule, edges) {
    const start = edges !== undefined && now >= edges[0] && now < edges[1] ? edges[0] : 0
    const isCharged = usedAt(state, now) > 0
    return {
      from: isCharged ? start : undefined,
      to: isCharged || start === 0 ? now : start - 1,
      isOwn: undefined,
    }
  },

  wait(state, now, cost, rule) {
    if (quota.fits(state, now, cost, rule)) return 0
    // A grant ends with its period, so a cost above the plain limit cannot pass later.
    return cost > rule.limit ? Number.POSITIVE_INFINITY : state[1]! - now
  },
}

/** The units granted on top of the limit that are valid at `now`. */
export function grantedAt(state: State, now: number): number {
  return state.length > 3 && now < state[1]! ? state[3]! : 0
}

/** Opens the period that contains `now`, unless it is open already. The grant of the former period is dropped. */
function openPeriod(state: State, now: number, rule: Rule, edges: Edges | undefined): void {
  if (now < windowEnd(state)) return
  openWindow(state, now, edges === undefined ? now + rule.window : periodEnd(edges, now))
  state.length = 3
}
