export { MysqlStore } from './store.ts'
export type { MysqlStoreOptions } from './options.ts'
export type { PooledConnection, PoolSource, PromisePool, Statement } from './pool.ts'
export type { StoreError } from '@halt/core/store'
