import type { Published, Publisher, Sample } from './family.ts'

/** Default buckets in seconds. A check in memory takes microseconds, one over a network tenths of a millisecond or more. */
export const BUCKETS: readonly number[] = Object.freeze([
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
  0.25, 1,
])

/** The durations of one kind of store: a count per bucket, and their sum in seconds. */
export class Durations {
  readonly counts: number[]
  sum = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(seconds: number): void {
    const bounds = this.#bounds
    let i = 0
    while (i < bounds.length && seconds > (bounds[i] as number)) i++
    ;(this.counts[i] as number)++
    this.sum += seconds
  }

  clear(): void {
    this.counts.fill(0)
    this.sum = 0
  }
}

/** A histogram of durations by store, in the form that prom-client publishes. */
export class DurationFamily implements Publisher {
  name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #bounds: readonly number[]
  readonly #stores = new Map<string, Durations>()

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = bounds
  }

  /** The durations of a kind of store. Returns the same object each time, so callers may keep it. */
  of(store: string): Durations {
    let durations = this.#stores.get(store)
    if (durations === undefined) this.#stores.set(store, (durations = new Durations(this.#bounds)))
    return durations
  }

  async get(): Promise<Published> {
    const { name, help, type, aggregator } = this
    const values = [...this.#stores].flatMap(([store, durations]) => this.#samples(store, durations))
    return { name, help, type, aggregator, values }
  }

  reset(): void {
    for (const durations of this.#stores.values()) durations.clear()
  }

  #samples(store: string, { counts, sum }: Durations): Sample[] {
    let count = 0
    const buckets = counts.map((n, i): Sample => {
      count += n
      return {
        value: count,
        labels: { le: this.#bounds[i] ?? '+Inf', store },
        metricName: `${this.name}_bucket`,
      }
    })
    return [
      ...buckets,
      { value: sum, labels: { store }, metricName: `${this.name}_sum` },
      { value: count, labels: { store }, metricName: `${this.name}_count` },
    ]
  }
}
