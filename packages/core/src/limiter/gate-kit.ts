// @halt/core/gate: the seam `Gate`, and what the package that fills it is made of (`@halt/control`).
export { MOST_UNITS } from '../algorithms/index.ts'
export {
  fromCaller,
  type HaltWarning,
  Occasion,
  type Warn,
  warnOnce,
  type WarnOnce,
} from '../base/warnings.ts'
export { describe, HaltError, messageOf } from '../base/errors.ts'
export { type Digest, makeDigest } from '../base/digest.ts'
export { type Duration, parseDuration } from '../base/duration.ts'
export { afterQuietly, eventLoop, type Timer } from '../base/event-loop.ts'
export {
  checkChoice,
  checkNames,
  checkType,
  checkWhole,
  fail,
  type Fields,
  namesOf,
} from '../base/options-check.ts'
export { within } from '../base/promises.ts'
export { WeakList } from '../base/weak-list.ts'
export { type Ask, PEEK } from '../check/check-options.ts'
export type { Check } from '../check/check.ts'
export type { Decision } from '../check/decision.ts'
export type { PolicyVerdict } from '../check/verdict-reader.ts'
export type { DecisionMetadata, Telemetry } from '../check/telemetry.ts'
export {
  type AppliedControl,
  type Gate,
  type GateParts,
  type GateSource,
  type LimiterPolicies,
  NO_CONTROL,
  type NumbersOwner,
  type Passage,
} from './gate.ts'
export { keyOfIdentity, type Plan, type Plans } from './plan.ts'
export type { CompiledPolicy, PolicyNumbers } from '../policy/compiled-policy.ts'
export { type ControlEntry, type EntryKind, isNetwork } from '../policy/control-entry.ts'
export { validate } from '../policy/validation.ts'
export {
  checkPrefix,
  embeddedIpv4,
  type Address,
  type Bits,
  networkOf,
  parseAddress,
  parseBareAddress,
} from '../request/address.ts'
export { Caller, findClient } from '../request/caller.ts'
export { type Identity, subjectOf, type FoundKey, type Subject, type Tenant } from '../request/identity.ts'
export { networkIn, holds, type Network, SortedNetworks } from '../request/networks.ts'
export type { RequestView } from '../request/view.ts'
export { capabilitiesOf } from '../store/capabilities.ts'
export type { Store } from '../store/contract.ts'
export {
  isDocumentName,
  isVersion,
  MAX_DOCUMENT,
  NEVER_WRITTEN,
  numberOf,
  type StoreDocument,
  type VersionedText,
} from '../store/document.ts'
export { LOOK_GROUP } from '../store/known-groups.ts'
export { mayShareData, placeInWords } from '../store/place.ts'
export { type StoreClock, storeClockOf } from '../store/store-clock.ts'
