import type { ShownError } from '../answer.ts'
import type { KeyView } from '../desk/key-view.ts'
import { merge, type MergedNumbers } from './merge.ts'
import type { ProcessNumbers } from './report.ts'
import type { Seen } from './watch.ts'

/** One process, as the page lists it. */
interface ProcessRow {
  /** The first characters of its id. */
  readonly name: string
  /** Whether it answers this page. */
  readonly isOwn: boolean
  readonly store: ProcessNumbers['store']
  readonly waiting: number
  readonly shedders: ProcessNumbers['shedders']
  /** How far its clock is ahead, in milliseconds; 0 if it is about right. */
  readonly ahead: number
}

/** The numbers that the page fetches while it is visible. Times are Unix milliseconds. */
export interface Feed extends MergedNumbers {
  readonly now: number
  readonly processes: readonly ProcessRow[]
  /** How many entries of operators hold in the process that answers alone, because the store has not taken them yet. */
  readonly alone: number
  readonly problem: ShownError | undefined
}

/** Merges the numbers of the processes for the page. @param alone how many entries hold in this process alone */
export function feedOf({ processes, own, problem }: Seen, view: KeyView, alone: number, now: number): Feed {
  const merged = merge(processes, now)
  const withKey = <T extends { readonly key: string | undefined }>(each: T): T => ({
    ...each,
    key: each.key && view.show(each.key),
  })
  return {
    ...merged,
    now,
    policies: merged.policies.map(withKey),
    used: merged.used.map(withKey),
    refused: merged.refused.map(withKey),
    events: merged.events.map(withKey),
    lines: merged.lines.map(withKey),
    processes: processes.map(({ id, store, waiting, shedders, ahead }) => ({
      name: id.slice(0, 8),
      isOwn: id === own,
      // The store has just not answered this process, so nobody knows who would decide.
      store:
        id === own && problem !== undefined && store.decides === 'store'
          ? { ...store, decides: 'unknown' }
          : store,
      waiting,
      shedders,
      ahead,
    })),
    alone,
    problem,
  }
}
