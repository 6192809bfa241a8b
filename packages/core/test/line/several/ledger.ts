// The book of several policies: how much more started than a counter allows, judged at the start. It rounds nothing.
import type { Grant, Step } from '../journal.ts'
import type { Counter } from './counters.ts'

/** Units that started at an instant. */
export interface Entry {
  readonly at: number
  readonly units: number
  /** When the call ended: for `concurrency`. */
  readonly until?: number
}

/** What is allowed beyond the rule of a counter. */
export interface Allowed {
  /** Microseconds by which a start may be later than its charge. */
  readonly late: number
  /** How long an old limit may still hold, in microseconds. */
  readonly hear: number
  readonly grants: readonly Grant[]
}

/** Nothing is allowed beyond the rule. */
export const NOTHING: Allowed = { late: 0, hear: 0, grants: [] }

/**
 * The most units by which starts exceed the rule of a counter, in any interval; 0 or less if none does. Entries are in the order of
 * their instants.
 *
 * A bucket allows in [a, b] its capacity and its rate × (b - a + late). A fixed window allows the limit from the first unit
 * until a window later, a sliding one in any interval as long as the window, a quota in each hour of the clock; of each of them,
 * starts that `late` puts on the other side of an edge count on the side that is right.
 */
export function excessOf(counter: Counter, entries: readonly Entry[], allowed: Allowed = NOTHING): number {
  switch (counter.kind) {
    case 'bucket':
      return ofBucket(counter, entries, allowed)
    case 'sliding':
      return ofSliding(counter, entries, allowed)
    case 'concurrency':
      return ofConcurrency(counter, entries, allowed)
    default:
      return ofWindows(counter, entries, allowed)
  }
}

function ofBucket(
  { limits, capacity, window }: Counter,
  entries: readonly Entry[],
  { late, hear, grants }: Allowed,
): number {
  let [worst, started, best] = [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]
  const begun = (at: number): number => sumOf(grants, grant => grant.from <= at)
  const over = (at: number): number => sumOf(grants, grant => grant.to < at)
  for (const { at, units } of entries) {
    // Whole numbers, in units × window: what was allowed before an interval that begins here, less what started before it.
    best = Math.max(best, paidBy(limits, at - late, hear) + over(at) * window - started)
    started += units * window
    worst = Math.max(worst, started - paidBy(limits, at, hear) - begun(at) * window + best)
  }
  return worst / window - capacity
}

/** What the limits have paid by an instant, in units × window. A limit that was lowered holds for `hear` longer. */
function paidBy(limits: readonly Step[], at: number, hear: number): number {
  // Before the world began the first one held.
  if (limits.length === 1) return limits[0]!.value * at
  let [sum, from] = [0, 0]
  const edges = limits.flatMap(step => [step.at, step.at + hear]).filter(edge => edge > 0 && edge < at)
  for (const edge of [...edges.toSorted((a, b) => a - b), at]) {
    const held = limits.filter((step, i) => step.at <= from && (limits[i + 1]?.at ?? Infinity) + hear > from)
    sum += Math.max(...held.map(({ value }) => value)) * (edge - from)
    from = edge
  }
  return sum
}

function sumOf(grants: readonly Grant[], is: (grant: Grant) => boolean): number {
  let sum = 0
  for (const grant of grants) if (is(grant)) sum += grant.units
  return sum
}

function ofWindows({ kind, limit, window }: Counter, entries: readonly Entry[], { late, grants }: Allowed) {
  let [worst, used, begin] = [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]
  for (const { at, units } of entries) {
    const edge = kind === 'quota' ? (Math.floor(begin / window) + 1) * window : begin + window
    // A unit near an edge was charged on either side of it.
    const isNext = begin === Number.NEGATIVE_INFINITY || at >= edge + late
    if (isNext || (at >= edge - late && used + units > limit)) {
      begin = kind === 'quota' ? Math.floor((at + late) / window) * window : at
      used = 0
    }
    used += units
    worst = Math.max(worst, used - limit - sumOf(grants, grant => grant.to >= begin && grant.from <= at))
  }
  return worst
}

function ofSliding({ limit, window }: Counter, entries: readonly Entry[], { late, grants }: Allowed): number {
  let [worst, used, first] = [Number.NEGATIVE_INFINITY, 0, 0]
  for (const { at, units } of entries) {
    used += units
    while (entries[first]!.at <= Math.min(at - 1, at - window + late)) used -= entries[first++]!.units
    const from = entries[first]!.at
    worst = Math.max(worst, used - limit - sumOf(grants, grant => grant.to >= from && grant.from <= at))
  }
  return worst
}

function ofConcurrency({ limit }: Counter, entries: readonly Entry[], { grants }: Allowed): number {
  let worst = Number.NEGATIVE_INFINITY
  for (const { at } of entries) {
    const running = entries.filter(one => one.at <= at && (one.until ?? Infinity) > at).length
    worst = Math.max(worst, running - limit - sumOf(grants, grant => grant.to >= at && grant.from <= at))
  }
  return worst
}
