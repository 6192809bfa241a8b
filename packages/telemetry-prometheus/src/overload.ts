import { HaltError } from '@halt/core'
import { type Registry, register as globalRegistry } from 'prom-client'

import { asMetric, Family, type FamilyOptions } from './family.ts'
import { nameTaken } from './options.ts'

type Tiers = Readonly<Record<'critical' | 'normal' | 'batch', number>>

/** The part of a load shedder of `@halt/overload` that is measured. */
export interface MeasuredShedder {
  readonly name: string
  readonly state: {
    readonly limit: number
    readonly inFlight: number
    readonly ageMs: number
    readonly insideMs: number
    readonly calmMs: number
    readonly sheds: readonly unknown[]
    readonly refused: Tiers
    readonly admitted: Tiers
    readonly rebaselines: number
  }
}

/** Options of {@link overloadMetrics}. */
export interface OverloadMetricsOptions {
  /** The registry of the metrics. Default: prom-client's global registry. */
  readonly register?: Registry | undefined
  /** The start of the names of all metrics. Default `"halt_"`, which the dashboard and the alerts expect. */
  readonly prefix?: string | undefined
}

const SHEDDERS = Symbol.for('halt.telemetry.prometheus.shedders')

interface Held {
  [SHEDDERS]?: Map<string, Set<MeasuredShedder>>
}

/**
 * Adds a load shedder to a registry. Its state is read at a scrape, and a request costs nothing.
 *
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_METRIC_TAKEN`
 * @example
 * overloadMetrics(shedder)
 */
export function overloadMetrics(
  shedder: MeasuredShedder,
  { register = globalRegistry, prefix = 'halt_' }: OverloadMetricsOptions = {},
): void {
  if (typeof shedder?.state?.limit !== 'number')
    throw new HaltError(
      'HALT_E_OPTION',
      'overloadMetrics got something that is not a load shedder.',
      'Give one of loadShedder(): overloadMetrics(shedder).',
    )
  const held = ((register as Held)[SHEDDERS] ??= new Map())
  const known = held.get(prefix) ?? new Set()
  held.set(prefix, known.add(shedder))
  for (const family of familiesOf(prefix, known)) {
    const there = register.getSingleMetric(family.name)
    if (there === undefined) register.registerMetric(asMetric(family))
    else if (known.size === 1) throw nameTaken(family.name)
  }
}

type Fill = (shedder: MeasuredShedder, set: (value: number, ...labels: readonly string[]) => void) => void

function familiesOf(prefix: string, shedders: ReadonlySet<MeasuredShedder>): Family[] {
  const family = (
    type: FamilyOptions<string>['type'],
    name: string,
    help: string,
    labels: readonly string[],
    fill: Fill,
  ): Family =>
    new Family({
      type,
      name: `${prefix}overload_${name}`,
      help,
      labels: ['shedder', ...labels],
      collect: cells => {
        cells.reset()
        for (const shedder of shedders)
          fill(shedder, (value, ...rest) => void (cells.cell(shedder.name, ...rest).value += value))
      },
    })
  return [
    family('gauge', 'limit', 'Requests that may be in flight.', [], ({ state }, set) => set(state.limit)),
    family('gauge', 'in_flight', 'Requests in flight.', [], ({ state }, set) => set(state.inFlight)),
    family('gauge', 'shedding', '1 while requests are refused.', [], ({ state }, set) =>
      set(state.sheds.length > 0 ? 1 : 0),
    ),
    family('gauge', 'seconds', 'Time before the handler and inside it.', ['part'], ({ state }, set) => {
      set(state.ageMs / 1000, 'loop')
      set(state.insideMs / 1000, 'inside')
      set(state.calmMs / 1000, 'calm')
    }),
    family('counter', 'requests_total', 'Requests.', ['tier', 'outcome'], ({ state }, set) => {
      for (const tier of ['critical', 'normal', 'batch'] as const) {
        set(state.admitted[tier], tier, 'admitted')
        set(state.refused[tier], tier, 'refused')
      }
    }),
    family('counter', 'rebaselines_total', 'Longer times taken for normal.', [], ({ state }, set) =>
      set(state.rebaselines),
    ),
  ]
}
