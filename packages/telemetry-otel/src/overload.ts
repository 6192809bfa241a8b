import { HaltError } from '@halt/core'
import { type BatchObservableResult, type MeterProvider, metrics } from '@opentelemetry/api'

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
  /** The provider of the meter. Default: the global one. Call it after the SDK has started. */
  readonly meterProvider?: MeterProvider | undefined
}

/**
 * Observes a load shedder as OpenTelemetry metrics. Its state is read when metrics are collected, and a request costs nothing.
 *
 * @returns a function that ends it
 * @throws HaltError `HALT_E_OPTION`
 * @example
 * overloadMetrics(shedder)
 */
export function overloadMetrics(
  shedder: MeasuredShedder,
  { meterProvider }: OverloadMetricsOptions = {},
): () => void {
  if (typeof shedder?.state?.limit !== 'number')
    throw new HaltError(
      'HALT_E_OPTION',
      'overloadMetrics got something that is not a load shedder.',
      'Give one of loadShedder(): overloadMetrics(shedder).',
    )
  const meter = (meterProvider ?? metrics).getMeter('@halt/telemetry-otel')
  const gauge = (
    name: string,
    unit: string,
    description: string,
  ): ReturnType<typeof meter.createObservableGauge> =>
    meter.createObservableGauge(`halt.overload.${name}`, { unit, description })
  const limit = gauge('limit', '{request}', 'Requests that may be in flight.')
  const inFlight = gauge('in_flight', '{request}', 'Requests in flight.')
  const shedding = gauge('shedding', '1', '1 while requests are refused.')
  const duration = gauge('duration', 's', 'Time before the handler (loop), inside it, and inside when calm.')
  const requests = meter.createObservableCounter('halt.overload.requests', {
    unit: '{request}',
    description: 'Requests, by tier and outcome.',
  })
  const rebaselines = meter.createObservableCounter('halt.overload.rebaselines', {
    unit: '{event}',
    description: 'Longer times taken for normal.',
  })
  const observe = (result: BatchObservableResult): void => {
    const { state, name } = shedder
    const own = { 'halt.shedder': name }
    result.observe(limit, state.limit, own)
    result.observe(inFlight, state.inFlight, own)
    result.observe(shedding, state.sheds.length > 0 ? 1 : 0, own)
    result.observe(duration, state.ageMs / 1000, { ...own, 'halt.part': 'loop' })
    result.observe(duration, state.insideMs / 1000, { ...own, 'halt.part': 'inside' })
    result.observe(duration, state.calmMs / 1000, { ...own, 'halt.part': 'calm' })
    result.observe(rebaselines, state.rebaselines, own)
    for (const tier of ['critical', 'normal', 'batch'] as const) {
      result.observe(requests, state.admitted[tier], {
        ...own,
        'halt.tier': tier,
        'halt.outcome': 'admitted',
      })
      result.observe(requests, state.refused[tier], { ...own, 'halt.tier': tier, 'halt.outcome': 'refused' })
    }
  }
  const all = [limit, inFlight, shedding, duration, requests, rebaselines]
  meter.addBatchObservableCallback(observe, all)
  return () => meter.removeBatchObservableCallback(observe, all)
}
