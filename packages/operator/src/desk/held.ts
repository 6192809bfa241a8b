import type { Control, ControlAct, ControlEntry } from '@halt/control'

import { shownError, type ShownError } from '../answer.ts'
import { unreadable } from './key-forms.ts'

/**
 * The entries in force, and the history. Keys are as the page shows them. While the store is away, the entries are those that this
 * process obeys; `scope` is `"process"` where one holds in this process alone.
 */
export interface Standing {
  readonly entries: readonly ControlEntry[]
  readonly history: readonly ControlAct[]
  /** Why those of the store cannot be read; undefined if they can. */
  readonly problem: ShownError | undefined
}

/** The entries that hold: those of the store or, while it is away, those that this process obeys. */
export interface Held {
  readonly entries: readonly ControlEntry[]
  /** The error of the store; undefined if it answers. */
  readonly away: unknown
}

/** Asks the store for the entries that hold. Never rejects. */
export async function heldBy(control: Control): Promise<Held> {
  try {
    return { entries: await control.entries(), away: undefined }
  } catch (error) {
    return { entries: control.inForce(), away: error }
  }
}

/** The entries that hold, and why they may not be those of the store. */
export async function entriesOf(control: Control): Promise<Omit<Standing, 'history'>> {
  const { entries, away } = await heldBy(control)
  if (away !== undefined) return { entries, problem: shownError(away) }
  const { problem } = control
  return { entries, problem: problem === undefined ? undefined : unreadable(problem) }
}

/** How many entries hold in this process alone, because the store has not taken them yet. */
export function aloneIn(control: Control): number {
  return control.inForce().filter(({ scope }) => scope === 'process').length
}
