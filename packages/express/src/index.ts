export {
  drain,
  type Closable,
  type DrainableServer,
  type DrainOptions,
  type DrainReport,
} from '@halt/core/http'
export type { LimitedContext } from './on-limited.ts'
export { halt, type HaltMiddleware, type HaltOptions } from './halt.ts'
export { sendLimited } from './send-limited.ts'
export { usage } from './usage.ts'
