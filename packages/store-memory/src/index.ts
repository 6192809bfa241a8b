export type { Clock } from './clock.ts'
export type { InMemoryStoreOptions } from './options.ts'
export { InMemoryStore } from './store.ts'
