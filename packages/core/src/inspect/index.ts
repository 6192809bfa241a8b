// @halt/core/inspect: what a limiter of either kind would decide and why, what its counters hold, and their reset.
export { explain, inspect, reset } from './inspection.ts'
export type { CounterReading } from './counter-reading.ts'
export type { Explanation, PolicyExplanation } from './explanation.ts'
