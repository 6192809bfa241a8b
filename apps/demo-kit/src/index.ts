export { Accounts, type User } from './accounts.ts'
export type { Answer, Visit } from './answer.ts'
export type { AppOptions, Listening, Start } from './app.ts'
export { Completion, estimate, promptOf, STREAM_HEADERS } from './completion.ts'
export { type Demo, runDemo } from './demo.ts'
export { closing, listen } from './listen.ts'
export { metricsPage, send, visitOf } from './node.ts'
export { opened } from './opened.ts'
export { Operator, OPERATOR } from './operator.ts'
export {
  COMPANY_MONTH,
  EVERYBODY,
  LOGIN,
  MODEL,
  PENALTY,
  type Plan,
  PLANS,
  userLimits,
  type UserLimits,
} from './policies.ts'
export { type Scene, show, type Stage } from './show.ts'
export { openStore, type OpenStore, type StoreOptions } from './store.ts'
