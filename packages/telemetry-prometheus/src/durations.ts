import type { Published, Publisher, Sample } from './family.ts'

/** Default buckets in seconds. A check in memory takes microseconds, one over a network tenths of a millisecond or more. */
export const BUCKETS: readonly number[] = Object.freeze([
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1,
  0.25, 1,
])

/** Buckets of the waits in line, in seconds. A caller waits 30 s at most, unless told otherwise. */
export const WAIT_BUCKETS: readonly number[] = Object.freeze([
  0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800,
])

/** The durations of one series: a count per bucket, and their sum in seconds. */
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

/** A histogram of durations by one label, in the form that prom-client publishes. */
export class DurationFamily implements Publisher {
  name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #label: string
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, Durations>()

  constructor(name: string, help: string, label: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#label = label
    this.#bounds = bounds
  }

  /** The durations under a value of the label. Returns the same object each time, so callers may keep it. */
  of(value: string): Durations {
    let durations = this.#series.get(value)
    if (durations === undefined) this.#series.set(value, (durations = new Durations(this.#bounds)))
    return durations
  }

  async get(): Promise<Published> {
    const { name, help, type, aggregator } = this
    const values = [...this.#series].flatMap(([value, durations]) =>
      this.#samples({ [this.#label]: value }, durations),
    )
    return { name, help, type, aggregator, values }
  }

  reset(): void {
    for (const durations of this.#series.values()) durations.clear()
  }

  #samples(labels: Readonly<Record<string, string>>, { counts, sum }: Durations): Sample[] {
    let count = 0
    const buckets = counts.map((n, i): Sample => {
      count += n
      return {
        value: count,
        labels: { le: this.#bounds[i] ?? '+Inf', ...labels },
        metricName: `${this.name}_bucket`,
      }
    })
    return [
      ...buckets,
      { value: sum, labels, metricName: `${this.name}_sum` },
      { value: count, labels, metricName: `${this.name}_count` },
    ]
  }
}
