import { concurrency } from './concurrency.ts'
import type { Algorithm } from './algorithm.ts'
import type { Rule, State } from './rule.ts'
import { slidingWindow } from './sliding-window.ts'

/** How many times what stays free a tenant of weight 1 may hold. */
const FACTOR = 4
/** The part of the pool that bounds this number for all weights. Otherwise a large weight would leave nothing free for others. */
const MOST_PART = 5

/**
 * The permits that one tenant holds of a pool which tenants share fairly. A tenant may hold four times as many permits as stay free,
 * times its weight, and always one. So the more tenants want permits, the fewer each of them holds, and some stay free for newcomers:
 * whatever its weight, a tenant may hold at most as many times what stays free as a fifth of the pool has permits.
 * While nobody holds a permit, a tenant may take any number at once, so that no cost within the limit waits for ever.
 *
 * State: that of {@link concurrency}.
 *
 * Source: the dynamic threshold of shared buffers (Choudhury and Hahne, 1996).
 */
export const permitShare: Algorithm = {
  ...concurrency,
  // The pool beside it decides, as `store/share-claim.ts` says.
  fits: () => true,
  wait: () => 0,
}

/**
 * Whether a tenant may hold `units` more.
 *
 * @param held the permits that all tenants hold
 */
export function mayHold(
  own: State,
  now: number,
  units: number,
  held: number,
  pool: Rule,
  weight: number,
): boolean {
  const taken = slidingWindow.used(own, now, pool) + units
  return (
    units === 0 || held === 0 || taken <= 1 || taken <= factorOf(weight, pool) * (pool.limit - held - units)
  )
}

/** How many units more a tenant may hold at most. @param held the permits that all tenants hold */
export function mostToHold(own: State, now: number, held: number, pool: Rule, weight: number): number {
  const free = Math.max(0, pool.limit - held)
  if (held === 0) return free
  const [taken, factor] = [slidingWindow.used(own, now, pool), factorOf(weight, pool)]
  return Math.min(free, Math.max(0, 1 - taken, Math.floor((factor * free - taken) / (1 + factor))))
}

/** The permits that a tenant may hold, if one more is given out. */
export function permitLevel(held: number, pool: Rule, weight: number): number {
  const { limit } = pool
  return Math.max(1, Math.min(limit, factorOf(weight, pool) * (limit - held - 1)))
}

/** How many times what stays free a tenant may hold. */
function factorOf(weight: number, { limit }: Rule): number {
  return Math.min(FACTOR * weight, Math.max(FACTOR, Math.floor(limit / MOST_PART)))
}

/**
 * Microseconds until a tenant may hold `units` more, if no permit is given back before its time ends; 0 if it may now. `all` are
 * those of all tenants.
 */
export function waitToHold(
  own: State,
  all: State,
  now: number,
  units: number,
  pool: Rule,
  weight: number,
): number {
  const ends = [...endsOf(own), ...endsOf(all)].filter(end => end > now).sort((a, b) => a - b)
  const may = (at: number): boolean =>
    mayHold(own, at, units, slidingWindow.used(all, at, pool), pool, weight)
  // It may when the last permit has ended.
  return may(now) ? 0 : ends.find(may)! - now
}

/** The instants at which the permits of a state end. */
function endsOf(state: State): number[] {
  return state.filter((_, i) => i % 2 === 1)
}
