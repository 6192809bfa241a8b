/** The calendar instants around now: the start and end of the present period, and the end of the next one. Microseconds. */
export type Edges = readonly [start: number, end: number, nextEnd: number]

/**
 * The end of the period that contains `now`.
 *
 * The application's clock chose the edges, and `now` is the store's clock, which may be in the period before or after. For an
 * instant outside the edges, periods as long as the nearest known one are assumed in both directions, so that every instant
 * has a period.
 */
export function periodEnd([start, end, nextEnd]: Edges, now: number): number {
  if (now < start) return start - Math.floor((start - now - 1) / (end - start)) * (end - start)
  if (now < end) return end
  if (now < nextEnd) return nextEnd
  return nextEnd + (Math.floor((now - nextEnd) / (nextEnd - end)) + 1) * (nextEnd - end)
}
