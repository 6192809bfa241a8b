export type { Run, Script } from './connection/index.ts'
export type { RedisStoreOptions } from './options.ts'
export { RedisStore } from './store.ts'
