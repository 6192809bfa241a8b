export {
  drain,
  type Closable,
  type DrainableServer,
  type DrainOptions,
  type DrainReport,
} from '@halt/core/http'
export { type LimitedContext, sendLimited } from './response.ts'
export { halt, type HaltMiddleware, type HaltOptions } from './halt.ts'
export { usage } from './usage.ts'
