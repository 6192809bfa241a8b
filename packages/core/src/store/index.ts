export {
  algorithms,
  codes,
  shareCodes,
  abuseScore,
  leavesAt,
  MOST_COST,
  MOST_COUNTED,
  MOST_UNITS,
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
  type CounterId,
  type Demand,
  type Group,
  type IdempotencyDemand,
  type PenaltyDemand,
  type Store,
  type StoreFailure,
  type Terms,
} from './contract.ts'
export {
  AdmittedBucket,
  AdmittedBuckets,
  type AdmittedCharge,
  AdmittedWindow,
  DeferredBucket,
} from './admitted.ts'
export type { Evaluation } from './evaluation.ts'
export { isLoneCharge, isPlainBuckets } from './plain-groups.ts'
export { countsRepeats } from './repeats.ts'
export { decide } from './decide.ts'
export { PENALTY_COUNTER } from './penalty-step.ts'
export type { Counters } from './counter-access.ts'
export {
  isDocumentName,
  isVersion,
  LocalDocuments,
  MAX_DOCUMENT,
  NEVER_WRITTEN,
  type StoreDocument,
  versionAfter,
  type VersionedText,
} from './document.ts'
export { evaluateAcross, LOOK_RULE, nodesOf, type NodeOf, type Send } from './across/index.ts'
export { checkEvaluation, StoreMisread } from './evaluation-check.ts'
export { readClock } from './instant.ts'
export { freshAt } from './cooldown.ts'
export { unitsLeftToOthers } from './terms.ts'
export { penaltyUntil, remaining, resetAt, ruleInForce, waitFor } from './reading.ts'
export { ticketOf } from './tickets.ts'
export { shareRuleOf } from '../algorithms/index.ts'
export { counterParts } from './counter-key.ts'
export type { Change } from './key-value.ts'
export { makeDigest, type Digest } from '../base/digest.ts'
export { isStrayPromise } from '../base/promises.ts'
export { afterFreeTime, type FreeWait } from '../base/free-time.ts'
export { pollUntil } from '../base/poll.ts'
export { Batcher, type BatchRules, type SendGroups } from './remote/batcher.ts'
export type { Load } from './remote/pending-calls.ts'
export { Heartbeat, type HeartbeatWire } from './remote/heartbeat.ts'
export {
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
  shareNumbers,
  termNumbers,
  TAG,
  WINDOW,
} from './remote/demand-numbers.ts'
export { checkReply } from './remote/reply-check.ts'
