export { halt, type HaltOptions, type LimitedContext } from './halt.ts'
export { sendLimited } from './send-limited.ts'
