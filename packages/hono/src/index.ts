export {
  drain,
  type Closable,
  type DrainableServer,
  type DrainOptions,
  type DrainReport,
} from '@halt/core/http'
export { halt, type HaltOptions } from './halt.ts'
export { sendLimited } from './send-limited.ts'
export { viewOf, type ConnInfo, type GetConnInfo } from './view.ts'
export { usage } from './usage.ts'
