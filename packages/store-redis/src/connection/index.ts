export type { Connection, ConnectionOptions, Run, Script } from './connection.ts'
export { openConnection, placeOf } from './open-connection.ts'
export { storeError, toStoreError } from './store-error.ts'
export { upstash } from './upstash.ts'
