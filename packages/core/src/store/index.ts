export {
  algorithmOf,
  algorithms,
  letters,
  MAX_EXACT,
  periodEnd,
  type Algorithm,
  type Edges,
  type Letter,
  type PenaltyRule,
  type Rule,
  type State,
} from '../algorithms/index.ts'
export {
  Mode,
  PenaltyMode,
  type Cell,
  type Demand,
  type Group,
  type OnceDemand,
  type PenaltyDemand,
  type Store,
  type Verdict,
} from './contract.ts'
export { blockedUntil, decide, freshAt, PENALTY_CELL, type Cells } from './decide.ts'
export { penaltyUntil, remaining, resetAt, ruleInForce, waitFor, waitForCost } from './read.ts'
export { makeDigest, type Digest } from '../digest.ts'
export { casStore, type CasBackend, type CasStoreOptions, type Swap, type Versioned } from './cas.ts'
export { decideOver, keyOf, keysOf, type Change } from './keyed.ts'
export { txStore, type Transaction, type TxBackend, type TxStoreOptions } from './tx.ts'
