export { operator } from './operator.ts'
export type { OperatorHandler } from './handler.ts'
export type { Authorize, OperatorOptions, Watched } from './options.ts'
