export { type Run, type Script, upstash } from './connection/index.ts'
export type { RedisConnection, RedisStoreOptions, RedisStoreSettings } from './options.ts'
export { RedisStore } from './store.ts'
