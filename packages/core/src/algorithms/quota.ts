import * as holds from './holds.ts'
import { addUnits, fixedWindow, openWindow, usedAt, windowEnd } from './fixed-window.ts'
import { type Edges, periodEnd, type Algorithm } from './algorithm.ts'
import { MOST_UNITS, type Rule, type State } from './rule.ts'

/**
 * Quota: a fixed window whose edges are calendar instants. A grant raises its limit until the period ends. Calls may hold units.
 *
 * State: `[cooldown, end, used]`, or `[cooldown, end, used, granted]` if units were granted. Behind them are the
 * {@link holds}, if calls hold units.
 *
 * Source: the {@link fixedWindow}, with the edges that `policy/calendar.ts` computes.
 */
export const quota: Algorithm = {
  ...fixedWindow,
  isQuota: true,

  reads: holds.readsHolds,

  fits: (state, now, cost, rule) => takenAt(state, now) + cost <= rule.limit + grantedAt(state, now),

  charge(state, now, cost, rule, edges) {
    openPeriod(state, now, rule, edges)
    addUnits(state, cost)
  },

  chargeFor(state, now, cost, time, rule, edges) {
    openPeriod(state, now, rule, edges)
    holds.addHeld(state, now, cost, time)
  },

  grant(state, now, amount, rule, edges) {
    if (amount < 0) return takeBack(state, now, -amount)
    openPeriod(state, now, rule, edges)
    state[3] = Math.min((state[3] ?? 0) + amount, MOST_UNITS)
  },

  holds: {
    held: holds.heldAt,
    still: holds.stillHeld,
    release: holds.releaseHeld,
    end: holds.holdEnd,
  },

  refund(state, now, amount, rule, chargedTo) {
    if (now < windowEnd(state) && state[1] === chargedTo) holds.dropEnded(state, now)
    fixedWindow.refund(state, now, amount, rule, chargedTo)
  },

  limit: (state, now, rule) => rule.limit + grantedAt(state, now),

  remaining: (state, now, rule) => Math.max(0, rule.limit + grantedAt(state, now) - takenAt(state, now)),

  lastCharge(state, now, _rule, edges) {
    const start = edges !== undefined && now >= edges[0] && now < edges[1] ? edges[0] : 0
    const isCharged = takenAt(state, now) > 0
    return {
      from: isCharged ? start : undefined,
      to: isCharged || start === 0 ? now : start - 1,
      isOwn: undefined,
    }
  },

  wait(state, now, cost, rule) {
    if (quota.fits(state, now, cost, rule)) return 0
    const excess = takenAt(state, now) + cost - rule.limit - grantedAt(state, now)
    const freed = holds.waitForHolds(state, now, excess)
    if (freed !== undefined) return freed
    // A grant ends with its period, so a cost above the plain limit cannot pass later.
    return cost > rule.limit ? Number.POSITIVE_INFINITY : state[1]! - now
  },
}

/** The units used and held at `now`. */
function takenAt(state: State, now: number): number {
  return usedAt(state, now) + holds.heldAt(state, now)
}

/** The units granted on top of the limit that are valid at `now`. */
export function grantedAt(state: State, now: number): number {
  return state.length > 3 && now < state[1]! ? state[3]! : 0
}

/** Takes granted units back, at most those that were granted. What is used stays used. */
function takeBack(state: State, now: number, amount: number): void {
  if (state.length === 3 || now >= windowEnd(state)) return
  state[3] = Math.max(0, state[3]! - amount)
  holds.dropEnded(state, now)
}

/** Opens the period that contains `now`, unless it is open already. The grant and the holds of the former period are dropped. */
function openPeriod(state: State, now: number, rule: Rule, edges: Edges | undefined): void {
  if (now < windowEnd(state)) return holds.dropEnded(state, now)
  openWindow(state, now, edges === undefined ? now + rule.window : periodEnd(edges, now))
  state.length = 3
}
