export { ManualClock, fakeTimersClock } from './clock.ts'
export { FakeOutage, fakeOutage, type OutageKind } from './fake-outage.ts'
export { matchers, type HaltMatchers, type LimitedFields, type MatcherResult } from './matchers.ts'
export { ReferenceStore } from './reference-store.ts'

// For @halt/conformance: rules for its demands, and the store behind `onStoreError: "local"`, which passes the same tests.
export { compilePenalty } from '../policy/penalty-config.ts'
export { compileRule, type RuleNumbers } from '../policy/rule-compiler.ts'
export { LocalStore } from '../resilience/local-store.ts'
