// A search of a model of a protocol, in every order of its steps.

/** A model, and how far the search goes: a point is a state of the model with what is left of the bounds. */
interface Space<Point> {
  readonly first: Point
  /** The points that follow one. It throws where a step finds a flaw itself. */
  next(point: Point): readonly Point[]
  /** The same text for points that need not be told apart. */
  keyOf(point: Point): string
  flawOf(point: Point): string | undefined
}

/** Visits every point, the nearest first. Returns the first flaw, and how many points there are. */
export function visitAll<Point>({ first, next, keyOf, flawOf }: Space<Point>): {
  readonly flaw: string | undefined
  readonly states: number
} {
  const seen = new Set([keyOf(first)])
  const open = [first]
  try {
    for (const point of open)
      for (const each of next(point)) {
        const flaw = flawOf(each)
        if (flaw !== undefined) return { flaw, states: seen.size }
        const key = keyOf(each)
        if (seen.has(key)) continue
        seen.add(key)
        open.push(each)
      }
  } catch (error) {
    return { flaw: (error as Error).message, states: seen.size }
  }
  return { flaw: undefined, states: seen.size }
}
