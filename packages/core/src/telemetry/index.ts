// @halt/core/telemetry: tells hooks and channels what a limiter of the kernel decides.
export { reporter } from './reporter.ts'
export type { Telemetry } from '../check/telemetry.ts'
