export { halt, type Guarding, type HaltOptions, type LimitedContext } from './halt.ts'
export { sendLimited } from './send-limited.ts'
