// @halt/core/waiting: callers that wait for their turn, for a limiter of either kind.
export { queue, type Queue } from './queue.ts'
export type { AbortSignalLike, AcquireOptions } from './acquire-options.ts'
export type { LineStatus } from './lines.ts'
export { pace, type Pace, type PaceOptions } from './pace.ts'
