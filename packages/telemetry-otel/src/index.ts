export type { OtelTelemetryOptions } from './options.ts'
export { OtelTelemetry } from './telemetry.ts'
