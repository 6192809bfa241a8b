export { operator } from './operator.ts'
export type { OperatorHandler } from './handler.ts'
export type { WatchedShedder } from './watch/shedders.ts'
export type { Authorize, Client, OperatorOptions, PlanOf, Plans, Watched } from './options.ts'
