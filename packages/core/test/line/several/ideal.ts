// What is due: the starts of callers if each starts at the first instant that all its counters allow, in the order of those who are ready.
import { type Counter, keyOf, type Units, unitsOf } from './counters.ts'
import { type Reading, Tank } from './tank.ts'

/** A caller of the ideal: it asks once, or again after each start. */
export interface Job {
  readonly client: string
  /** When it asks first. Microseconds. */
  readonly at: number
  readonly maxWait: number
  /** The units of its nth call. */
  readonly units: (n: number) => Units
  readonly isSteady: boolean
}

/** A start of the ideal. */
export interface IdealStart {
  readonly at: number
  readonly client: string
  readonly units: Units
}

interface Ready {
  readonly job: Job
  readonly count: number
  readonly at: number
}

/** How the ideal is played. Microseconds. */
export interface IdealOptions {
  readonly until: number
  /** Nobody starts earlier. Default 0. */
  readonly from?: number
  /** From a start to the next ask of a steady caller. */
  readonly again: number
  /** How long a call is in flight. */
  readonly held: number
}

/** All tanks of a book. */
export class Tanks {
  readonly #counters: readonly Counter[]
  readonly #tanks = new Map<string, Tank>()
  readonly #reading: Reading

  constructor(counters: readonly Counter[], reading: Reading = {}) {
    this.#counters = counters
    this.#reading = reading
  }

  /** Tanks in the same state. */
  copy(): Tanks {
    const other = new Tanks(this.#counters, this.#reading)
    for (const [key, tank] of this.#tanks) other.#tanks.set(key, tank.copy())
    return other
  }

  /** The tank of a counter for a client. */
  of(counter: Counter, client: string): Tank {
    const key = keyOf(counter, client)
    let tank = this.#tanks.get(key)
    if (tank === undefined) this.#tanks.set(key, (tank = new Tank(counter, this.#reading)))
    return tank
  }

  /** The first instant at which all counters of a client allow a call. */
  earliest(from: number, client: string, units: Units): number {
    let at = from
    // What fits at an instant may not fit later only where a fixed window ends, and then more fits.
    for (const counter of this.#counters)
      at = Math.max(at, this.of(counter, client).earliest(from, unitsOf(counter, units)))
    return at
  }

  /** Charges all counters of a client. */
  take(at: number, client: string, units: Units, held = 0, askedAt = at): void {
    for (const counter of this.#counters)
      this.of(counter, client).take(at, unitsOf(counter, units), held, askedAt)
  }
}

/** The starts that are due. */
export function idealOf(
  counters: readonly Counter[],
  jobs: readonly Job[],
  { until, from = 0, again, held }: IdealOptions,
  tanks: Tanks = new Tanks(counters),
): IdealStart[] {
  const queues = new Map<string, Ready[]>()
  const join = (ready: Ready): void => {
    const queue = queues.get(ready.job.client) ?? []
    let at = queue.length
    while (at > 0 && queue[at - 1]!.at > ready.at) at--
    queue.splice(at, 0, ready)
    queues.set(ready.job.client, queue)
  }
  for (const job of jobs) join({ job, count: 0, at: job.at })
  const starts: IdealStart[] = []
  for (let clock = from; ;) {
    let next: { readonly ready: Ready; readonly at: number } | undefined
    for (const [client, [ready]] of queues) {
      if (ready === undefined) continue
      const at = tanks.earliest(Math.max(clock, ready.at), client, ready.job.units(ready.count))
      if (next === undefined || at < next.at || (at === next.at && ready.at < next.ready.at))
        next = { ready, at }
    }
    if (next === undefined || next.at > until) return starts
    const { ready, at } = next
    const { job, count } = ready
    queues.get(job.client)!.shift()
    // A steady caller that is refused comes again, so it is always there. Another one has gone.
    if (!job.isSteady && at > ready.at + job.maxWait) continue
    clock = at
    const units = job.units(count)
    tanks.take(at, job.client, units, held)
    starts.push({ at, client: job.client, units })
    if (job.isSteady) join({ job, count: count + 1, at: at + again })
  }
}
