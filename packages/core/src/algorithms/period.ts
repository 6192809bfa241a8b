/** Calendar instants between which a quota counts: the present period's start and end, and the next one's end. */
export type Edges = readonly [start: number, end: number, nextEnd: number]

/**
 * The end of the period that `now` lies in.
 *
 * The store's clock may be past the edge that the application's clock saw, or before it: three edges cover both. Where it is
 * further off, periods as long as the nearest known one go on in both directions: a quota never ends for want of an edge.
 */
export function periodEnd([start, end, nextEnd]: Edges, now: number): number {
  if (now < start) return start - Math.floor((start - now - 1) / (end - start)) * (end - start)
  if (now < end) return end
  if (now < nextEnd) return nextEnd
  return nextEnd + (Math.floor((now - nextEnd) / (nextEnd - end)) + 1) * (nextEnd - end)
}
