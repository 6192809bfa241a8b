export { halt, type HaltMiddleware, type HaltOptions, type LimitedContext } from './halt.ts'
export { sendLimited } from './send-limited.ts'
