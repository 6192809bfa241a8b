import { setTimeout as sleep } from 'node:timers/promises'

/** A kind of handler whose capacity is known. */
export interface Kind {
  readonly title: string
  /** Requests a second that it can answer, about. */
  readonly capacity: number
  /** Does a request's work. */
  work(): Promise<void> | void
}

/** The names of the kinds. */
export type KindName = 'cpu' | 'pool' | 'empty'

const CPU_MS = 5
const POOL = { places: 10, ms: 20 }

/** A pool of connections: work waits for a place in the order in which it came. */
function pool(places: number, ms: number): () => Promise<void> {
  const waiting: (() => void)[] = []
  let free = places
  return async () => {
    if (free > 0) free--
    else await new Promise<void>(resolve => void waiting.push(resolve))
    await sleep(ms)
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  }
}

/** The kinds. `empty` is only there to measure what a request costs. */
export const kinds: Readonly<Record<KindName, Kind>> = {
  cpu: {
    title: `${CPU_MS} ms of the processor`,
    capacity: 190,
    work() {
      const end = performance.now() + CPU_MS
      while (performance.now() < end);
    },
  },
  pool: {
    title: `a pool of ${POOL.places}, ${POOL.ms} ms`,
    capacity: (POOL.places * 1000) / POOL.ms,
    work: pool(POOL.places, POOL.ms),
  },
  empty: { title: 'nothing', capacity: Number.NaN, work() {} },
}
