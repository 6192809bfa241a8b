// @halt/core/store: what a store is made of, and stores over databases. Those bring what decides while the database is away.
export {
  algorithms,
  codes,
  shareCodes,
  abuseScore,
  leavesAt,
  MOST_COST,
  MOST_COUNTED,
  MOST_UNITS,
  mostOwed,
  type Algorithm,
  type Edges,
  type HeldUnits,
  type AlgorithmCode,
  type Layout,
  type PenaltyRule,
  type Place,
  type Rule,
  type State,
} from '../algorithms/index.ts'
export {
  Mode,
  PenaltyMode,
  tells,
  type CounterId,
  type Demand,
  type Group,
  type IdempotencyDemand,
  type PenaltyDemand,
  type Store,
  type StoreFailure,
  type StoreMark,
  type Terms,
} from '../store/contract.ts'
export { Admitted, AdmittedGroup, type ChargeAnswer, type Refused } from '../store/admitted.ts'
export type { Evaluation } from '../store/evaluation.ts'
export { isLoneCharge, isPlainGroup, plainEvaluation, plainGroup } from '../store/known-groups.ts'
export { mayShareData, counterMark, MARK_COUNTER } from '../store/place.ts'
export { countsRepeats } from '../store/beside-demands.ts'
export { decide } from '../store/decide.ts'
export { PENALTY_COUNTER } from '../store/beside-demands.ts'
export { type Counters, counterParts } from '../store/counter-key.ts'
export {
  isDocumentName,
  isVersion,
  LocalDocuments,
  MAX_DOCUMENT,
  NEVER_WRITTEN,
  type StoreDocument,
  versionAfter,
  type VersionedText,
} from '../store/document.ts'
export { evaluateAcross, nodesOf, type NodeOf, type Send } from './across/index.ts'
export { LOOK_GROUP, LOOK_RULE } from '../store/known-groups.ts'
export { checkEvaluation, StoreMisread } from '../store/evaluation-check.ts'
export { readClock } from '../store/store-clock.ts'
export { freshAt } from '../algorithms/index.ts'
export { unitsLeftToOthers } from '../store/terms.ts'
export { penaltyUntil, remaining, resetAt, ruleInForce, waitFor } from '../store/reading.ts'
export { ticketOf } from '../store/tickets.ts'
export { shareRuleOf } from '../algorithms/index.ts'
export { keyOf } from '../store/counter-key.ts'
export { type Change, type Decided, decideOver, keysOf } from './key-value.ts'
export { makeDigest, type Digest } from '../base/digest.ts'
export { isStrayPromise, afterFreeTime, type FreeWait } from '../base/promises.ts'
export { pollUntil } from './poll.ts'
export { Batcher, type BatchRules, type SendGroups } from './remote/batcher.ts'
export type { Load } from './remote/pending-calls.ts'
export { Heartbeat, type HeartbeatWire } from './remote/heartbeat.ts'
export {
  aboutCounters,
  errorCode,
  type ErrorMeaning,
  errorText,
  inDoubt,
  replyType,
  StoreError,
} from './remote/store-error.ts'
export {
  ALGORITHM_KINDS,
  BUCKET,
  isLoneBucket,
  penaltyNumbers,
  termNumbers,
  TAG,
  WINDOW,
} from './remote/demand-numbers.ts'
export { checkReply } from './remote/reply-check.ts'
export { flatGroups, wholeAnswers } from './remote/demand-numbers.ts'
export { casStore, type CasBackend, type CasStoreOptions, type Swap, type Versioned } from './cas-store.ts'
export {
  txStore,
  type LockedValues,
  type Transaction,
  type TxBackend,
  type TxStoreOptions,
} from './tx-store.ts'
