export { halt, sendLimited, type ConnInfo, type GetConnInfo, type HaltOptions } from './halt.ts'
