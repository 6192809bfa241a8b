// Acts
export { Control, type ControlOptions } from './control.ts'
export type { NetworkSize } from './network-entries.ts'
export type {
  ActOptions,
  BlockOptions,
  EntryFacts,
  ControlAct,
  ControlEntry,
  EntryKind,
  NotedAct,
  PolicyNumbers,
} from './entries.ts'

// The reports that the processes of a store send each other
export { Reports, type ProcessReport, type ReportsOptions } from './reports/reports.ts'
export { TopKeys, type TopKeysOptions, type TopKeysReport } from './reports/top-keys.ts'
export type { TopKey, TopLists } from './reports/top-tables.ts'
