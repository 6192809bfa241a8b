import type { Metric } from 'prom-client'

/** One time series: a number that checks change, and its labels. */
export interface Cell {
  value: number
  readonly labels: Readonly<Record<string, string>>
}

/** A sample, in the form that prom-client prints. */
export interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

/** The data that a metric gives a registry at a scrape. */
export interface Published {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: string
  readonly values: readonly Sample[]
}

/** The part of a metric that a registry uses. */
export interface Publisher {
  name: string
  get(): Promise<Published>
  reset(): void
}

/** Options of a {@link Family}. */
export interface FamilyOptions<L extends string> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly L[]
  /** How a cluster's master combines the values of its workers. Default `"sum"`. */
  readonly aggregator?: 'sum' | 'min' | undefined
  /** Sets the cells just before they are published. */
  readonly collect?: ((family: Family<L>) => void) | undefined
}

/**
 * A counter or gauge whose cells are plain numbers. prom-client's own metrics join the labels to a string at each change to
 * find the cell. Here a check adds to a number that it already holds, and strings are made only at a scrape.
 */
export class Family<L extends string = string> implements Publisher {
  name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly aggregator: 'sum' | 'min'
  readonly #labels: readonly L[]
  readonly #collect: ((family: Family<L>) => void) | undefined
  readonly #cells = new Map<string, Cell>()

  constructor({ name, help, type, labels, aggregator = 'sum', collect }: FamilyOptions<L>) {
    this.name = name
    this.help = help
    this.type = type
    this.aggregator = aggregator
    this.#labels = labels
    this.#collect = collect
  }

  /** The series with these values, in the order of the labels. Returns the same object each time, so callers may keep it. */
  cell(...values: readonly string[]): Cell {
    const name = JSON.stringify(values)
    let cell = this.#cells.get(name)
    if (cell === undefined) {
      const labels = Object.fromEntries(this.#labels.map((label, i) => [label, values[i] ?? '']))
      this.#cells.set(name, (cell = { value: 0, labels }))
    }
    return cell
  }

  async get(): Promise<Published> {
    this.#collect?.(this)
    const { name, help, type, aggregator } = this
    const values = [...this.#cells.values()].map(({ value, labels }) => ({ value, labels: { ...labels } }))
    return { name, help, type, aggregator, values }
  }

  /** Sets all counts to 0. Cells that callers hold stay valid. */
  reset(): void {
    for (const cell of this.#cells.values()) cell.value = 0
  }
}

/** Types a publisher as a metric, because prom-client uses no more of a metric than {@link Publisher} has. */
export function asMetric(publisher: Publisher): Metric {
  return publisher as unknown as Metric
}
