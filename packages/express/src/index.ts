export type { LimitedContext } from './custom-answer.ts'
export { halt, type HaltMiddleware, type HaltOptions } from './halt.ts'
export { sendLimited } from './send-limited.ts'
