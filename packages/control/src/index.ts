// Acts
export { Control, type ControlOptions } from './control.ts'
export { extraUnits, type QuotaNow } from './extra-units.ts'
export { checkPausable, pauseLength } from './pauses.ts'
export type { NetworkSize } from './network-entries.ts'
export {
  type ActOptions,
  type BlockOptions,
  type EntryFacts,
  type ControlAct,
  type ControlEntry,
  type EntryKind,
  NOTED_ACTS,
  type NotedAct,
  type PolicyNumbers,
} from './entries.ts'

// The reports that the processes of a store send each other
export { Reports, type ReportsOptions } from './reports/reports.ts'
export type { ProcessReport } from './reports/report-document.ts'
export { TopKeys, type TopKeysOptions, type TopKeysReport } from './reports/top-keys.ts'
export type { TopKey, TopLists } from './reports/top-tables.ts'
export { UsageByUser, type UsageByUserOptions } from './reports/usage-by-user.ts'
export { findUserInUsage, type LimitUsage, usageByUser } from './reports/usage-documents.ts'
