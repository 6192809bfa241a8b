export type { OtelTelemetryOptions } from './options.ts'
export { OtelTelemetry } from './telemetry.ts'
export { type MeasuredShedder, overloadMetrics, type OverloadMetricsOptions } from './overload.ts'
