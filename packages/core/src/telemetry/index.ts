// @halt/core/telemetry: tells hooks and channels what a limiter of the kernel decides, and bounds what telemetries hold.
export { reporter } from './reporter.ts'
export type { Telemetry } from '../check/telemetry.ts'
export { type HeavyKey, HeavyKeys } from './heavy-keys.ts'
export { LabelSet } from './labels.ts'
export { type AskedUnits, unitsAsked } from './asked-units.ts'
