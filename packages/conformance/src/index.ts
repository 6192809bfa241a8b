export { adapterSuite } from './adapter/adapter-suite.ts'
export {
  ROUTES,
  type AdapterUnderTest,
  type Call,
  type Http2Options,
  type Http2Session,
  type Http2Stream,
  type Mount,
  type RawSocket,
  type Reply,
  type Route,
  type Served,
  type Setup,
  type StoreUnderTest,
  type SuiteOptions,
} from './adapter/contract.ts'
export type { Matchers, Runner } from './runner.ts'
export type { StoreFactory } from './store/store-factory.ts'
export { storeSuite } from './store/store-suite.ts'
