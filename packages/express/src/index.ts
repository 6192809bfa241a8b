export { halt, sendLimited, type HaltOptions, type LimitedContext } from './halt.ts'
