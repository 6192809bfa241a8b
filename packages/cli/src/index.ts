export { run } from './run.ts'
export type { CliIo, Output } from './io.ts'
export { uncaughtText } from './uncaught.ts'
