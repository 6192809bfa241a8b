export type { Clock, InMemoryStoreOptions } from './options.ts'
export { InMemoryStore } from './store.ts'
