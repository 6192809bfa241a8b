// The book: how many units may start in an interval. It shares no code with the rule that it judges, and rounds nothing.
import { type Grant, type Journal, startsOf, type Step } from './journal.ts'

/** How long a process may not have heard of what others do, in microseconds. */
export const LAG = 1_000_000
/** How long a refund may take to be given to the line, and to be heard of. */
const REFUND_LAG = 2_000_000

/** What the book allows beyond `capacity + rate × length`. */
export interface Allowance {
  /** Microseconds by which a start may be late. */
  readonly lag: number
  /** Microseconds for which a grant acts. */
  readonly grantLag: number
}

/** An interval in which too much started. */
export interface Excess {
  readonly from: number
  readonly to: number
  readonly started: number
  readonly allowed: number
}

/**
 * The interval in which the starts are the most above the bound; undefined if no interval is. In any interval the units that start
 * are at most the capacity, and the rate times the length and the lag, and what was granted in it or `grantLag` before.
 */
export function worstExcess(
  book: Journal,
  { lag, grantLag }: Allowance = { lag: LAG, grantLag: REFUND_LAG },
): Excess | undefined {
  const starts = startsOf(book)
  const { window } = book
  // All in units × window, so that every number is whole.
  const paid = integral(envelope(book.rates, book.hear, Math.max, book.shares))
  const begun = grantsBy(book.grants, 'from')
  const over = grantsBy(book.grants, 'to')
  const capacity = mostOf(envelope(book.capacities, book.hear, Math.max))
  let worst: (Excess & { readonly by: number }) | undefined
  // For each end the best begin: what was allowed before it, less what started before it.
  for (let i = 0; i < starts.length; i++) {
    const from = starts[i]!.endedAt
    if (i > 0 && starts[i - 1]!.endedAt === from) continue
    const paidBefore = paid(from - lag)
    const overBefore = over(from - grantLag, false)
    let started = 0
    for (let j = i; j < starts.length; j++) {
      const { endedAt: to, cost } = starts[j]!
      started += cost
      if (starts[j + 1]?.endedAt === to) continue
      const granted = begun(to, true) - overBefore
      const allowed = (capacity(from - lag, to) + granted) * window + paid(to) - paidBefore
      const by = started * window - allowed
      if (by > 0 && (worst === undefined || by > worst.by))
        worst = { from, to, started, allowed: allowed / window, by }
    }
  }
  if (worst === undefined) return undefined
  const { by: _, ...excess } = worst
  return excess
}

/**
 * What a step function was at most (or at least) in the last `hear` microseconds, at each instant, and the shares that came on
 * top of it.
 */
export function envelope(
  steps: readonly Step[],
  hear: number,
  choose: (...values: number[]) => number,
  shares: Journal['shares'] = [],
): Step[] {
  const sorted = steps.toSorted((a, b) => a.at - b.at)
  const edges = [
    ...sorted.flatMap(({ at }) => [at, at + hear]),
    ...shares.flatMap(({ from, to }) => [from, to]),
  ]
  return [...new Set(edges)]
    .toSorted((a, b) => a - b)
    .map(at => {
      const held = sorted.filter((step, i) => step.at <= at && (sorted[i + 1]?.at ?? Infinity) > at - hear)
      const extra = shares.filter(({ from, to }) => from <= at && at < to)
      const value = choose(...held.map(step => step.value)) + extra.reduce((sum, { rate }) => sum + rate, 0)
      return { at, value }
    })
}

/** The integral of a rate, in units × window, from the instant 0 on. */
function integral(steps: readonly Step[]): (at: number) => number {
  const sorted = steps.toSorted((a, b) => a.at - b.at)
  const first = sorted[0]!
  const sums: { readonly at: number; readonly sum: number; readonly value: number }[] = []
  let [at, sum, value] = [0, 0, first.value]
  for (const step of sorted) {
    if (step.at <= 0) {
      value = step.value
      continue
    }
    sums.push({ at, sum, value })
    sum += (step.at - at) * value
    at = step.at
    value = step.value
  }
  sums.push({ at, sum, value })
  return instant => {
    // Before the world began the first rate held.
    const own = last(sums, instant) ?? sums[0]!
    return own.sum + (instant - own.at) * own.value
  }
}

/** The largest value of a step function in an interval. */
function mostOf(steps: readonly Step[]): (from: number, to: number) => number {
  const sorted = steps.toSorted((a, b) => a.at - b.at)
  if (sorted.length === 1) return () => sorted[0]!.value
  return (from, to) => {
    let most = 0
    for (const [i, { at, value }] of sorted.entries()) {
      const until = sorted[i + 1]?.at ?? Infinity
      if (at <= to && until > from) most = Math.max(most, value)
    }
    return most
  }
}

/** The units of the grants that have begun, or ended, by an instant. */
function grantsBy(grants: readonly Grant[], edge: 'from' | 'to') {
  const sorted = grants.toSorted((a, b) => a[edge] - b[edge])
  let sum = 0
  const sums = sorted.map(grant => ({ at: grant[edge], sum: (sum += grant.units) }))
  return (instant: number, isInclusive: boolean): number => {
    let found = 0
    for (const { at, sum: total } of sums) {
      if (isInclusive ? at > instant : at >= instant) break
      found = total
    }
    return found
  }
}

function last<T extends { readonly at: number }>(sorted: readonly T[], instant: number): T | undefined {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]!.at <= instant) low = middle + 1
    else high = middle
  }
  return sorted[low - 1]
}
