export { HaltCounters } from './object/halt-counters.ts'
export type { LocationHint, ObjectNamespace, ObjectState } from './platform.ts'
export type { DurableObjectStoreOptions } from './options.ts'
export { DurableObjectStore } from './store.ts'
