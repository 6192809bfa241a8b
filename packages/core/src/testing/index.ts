export { randomHistory, randomNumbers, readings, START, type Charged, type Step } from './histories.ts'
export { ReferenceStore } from './reference-store.ts'
export { adapterSuite } from './adapter-suite.ts'
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
export { ManualClock } from './clock.ts'
export type { Matchers, Runner } from './runner.ts'
export { storeSuite, type StoreFactory } from './store-suite.ts'
