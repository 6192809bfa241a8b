import type { Metric } from 'prom-client'

/** One time series: a number that a check changes, and the labels it is published with. */
export interface Cell {
  value: number
  readonly labels: Readonly<Record<string, string>>
}

/** A sample as prom-client prints it. */
export interface Sample {
  readonly value: number
  readonly labels: Readonly<Record<string, string | number>>
  readonly metricName?: string
}

/** What a registry gets at a scrape. */
export interface Published {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: string
  readonly values: readonly Sample[]
}

/** What a registry needs of a metric. */
export interface Publisher {
  name: string
  get(): Promise<Published>
  reset(): void
}

/** What a family is made of. */
export interface FamilyOptions<L extends string> {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly L[]
  /** How a cluster's master joins what its workers say. Default `"sum"`. */
  readonly aggregator?: 'sum' | 'min' | undefined
  /** Sets the cells right before they are published. */
  readonly collect?: ((family: Family<L>) => void) | undefined
}

/**
 * A counter or gauge whose cells are plain numbers. prom-client's own look a label set up by joining its text, at each
 * change; here a check adds to a number it holds already, and texts are made when Prometheus asks.
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

  /** The series of these label values, in the order of the family's labels. Always the same object: keep it. */
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

  /** Counts from 0 again; what checks hold stays valid. */
  reset(): void {
    for (const cell of this.#cells.values()) cell.value = 0
  }
}

/** Shows a publisher to prom-client, which asks of a metric no more than {@link Publisher} has. */
export function asMetric(publisher: Publisher): Metric {
  return publisher as unknown as Metric
}
