export { type Run, type Script, upstash } from './connection/index.ts'
export type { RedisStoreOptions } from './options.ts'
export { RedisStore } from './store.ts'
