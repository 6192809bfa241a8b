export type { SqliteDatabase } from './handle.ts'
export type { Durability, SqliteStoreOptions } from './options.ts'
export { SqliteStore } from './store.ts'
export type { StoreError } from '@halt/core/store'
