export type { PrometheusTelemetryOptions } from './options.ts'
export { PrometheusTelemetry } from './telemetry.ts'
export { type MeasuredShedder, overloadMetrics, type OverloadMetricsOptions } from './overload.ts'
