export type { Closable, DrainableServer, DrainOptions, DrainReport } from '@halt/core/http'

export { drain, type DrainableApp } from './drain.ts'
export { halt, type HaltHook, type HookReply, type HookRequest } from './halt.ts'
export { LimitedError } from './limited-error.ts'
export type {
  HaltHookName,
  HaltHookOptions,
  HaltOptions,
  HaltRouteOptions,
  LimitedContext,
} from './options.ts'
export { sendLimited } from './send-limited.ts'
export { usage } from './usage.ts'
