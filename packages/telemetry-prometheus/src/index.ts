export type { PrometheusTelemetryOptions } from './options.ts'
export { PrometheusTelemetry } from './telemetry.ts'
