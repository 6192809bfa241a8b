/** One measured point of a curve. */
export interface Point {
  readonly size: number
  /** CPU nanoseconds per check. */
  readonly nanos: number
}

/** The straight line nearest to a curve. */
export interface Fit {
  /** Nanoseconds per unit of `x`. */
  readonly slope: number
  /** How many times a point is above or below the line: the largest of all points. */
  readonly off: number
  /** True if the line rises by no more than a fifth from its first point to its last. */
  readonly isFlat: boolean
}

/**
 * Fits a straight line through points, with relative distances, so that a point of 500 ns counts as much as one of 50 000.
 *
 * @param xOf the place of a size on the line
 */
export function fit(points: readonly Point[], xOf: (size: number) => number): Fit {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) throw new Error('no points')
  let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0]
  for (const { size, nanos } of points) {
    const [x, weight] = [xOf(size), 1 / nanos ** 2]
    w += weight
    wx += weight * x
    wy += weight * nanos
    wxx += weight * x * x
    wxy += weight * x * nanos
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx)
  const at = (size: number): number => (wy - slope * wx) / w + slope * xOf(size)
  const off = points.map(({ size, nanos }) => Math.max(nanos / at(size), at(size) / nanos))
  const isAbove = at(first.size) > 0 && at(last.size) > 0
  return {
    slope,
    off: isAbove ? Math.max(...off) : Number.POSITIVE_INFINITY,
    isFlat: at(last.size) <= 1.2 * at(first.size),
  }
}
