// A real OpenTelemetry SDK with exporters in memory, and limiters to watch with it.
import { type RequestView, RateLimiter, type RateLimiterOptions, type Telemetry } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { type Attributes, context, type Span, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  type MetricData,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type TimedEvent,
} from '@opentelemetry/sdk-trace-base'

/** One exported data point. */
export interface Point {
  readonly attributes: Attributes
  readonly value: unknown
}

/** A meter provider, and what it exports. */
export interface Metering {
  readonly meterProvider: MeterProvider
  /** All instruments that have data now, by name. */
  metrics(): Promise<Map<string, MetricData>>
  /** The points of one instrument. */
  points(name: string): Promise<Point[]>
}

export function metering(): Metering {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const metrics = async (): Promise<Map<string, MetricData>> => {
    exporter.reset()
    await reader.forceFlush()
    const found = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    return new Map(found.flatMap(scope => scope.metrics.map(metric => [metric.descriptor.name, metric])))
  }
  const points = async (name: string): Promise<Point[]> =>
    ((await metrics()).get(name)?.dataPoints ?? []).map(({ attributes, value }) => ({ attributes, value }))
  return { meterProvider, metrics, points }
}

/** Runs each of some things in a span of its own, all at once, and gives the events noted on each. */
export async function tracing(...runs: (() => Promise<unknown>)[]): Promise<TimedEvent[][]> {
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  try {
    const spans = runs.map((_, i) => provider.getTracer('test').startSpan(`request ${i}`))
    await Promise.all(
      runs.map((run, i) => context.with(trace.setSpan(context.active(), spans[i] as Span), run)),
    )
    // In order: exported as they end.
    for (const span of spans) span.end()
    return exporter.getFinishedSpans().map(({ events }) => events)
  } finally {
    context.disable()
    await provider.shutdown()
  }
}

/** A request from an address that nothing exempts. */
export function view(changes: Partial<RequestView> = {}): RequestView {
  return { method: 'GET', path: '/things', ip: '203.0.113.7', headers: {}, request: {}, ...changes }
}

/** A limiter that warns nobody. */
export function limiterOf(
  policy: RateLimiterOptions['policy'],
  telemetry: Telemetry,
  store: RateLimiterOptions['store'] = new InMemoryStore(),
): RateLimiter {
  return new RateLimiter({ store, policy, telemetry, warn: () => {} })
}

/** A store that is away. */
export const broken = (): RateLimiterOptions['store'] => ({
  kind: 'redis',
  evaluate: () => Promise.reject(new Error('gone')),
  forget: () => 0,
})
