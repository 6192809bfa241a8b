export type { Clock } from './clock.ts'
export { InMemoryStore, type InMemoryStoreOptions } from './store.ts'
