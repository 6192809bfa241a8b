// @halt/core/store: what a store is made of, and stores over databases. Those bring what decides while the database is away.
export * from '../store/index.ts'
export { casStore, type CasBackend, type CasStoreOptions, type Swap, type Versioned } from './cas-store.ts'
export { txStore, type Transaction, type TxBackend, type TxStoreOptions } from './tx-store.ts'
