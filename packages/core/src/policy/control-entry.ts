import type { PolicyNumbers } from './compiled-policy.ts'

/** The effect of an entry. */
export type EntryKind = 'block' | 'allow' | 'override' | 'change'

/** One act of an operator that holds in every process: a block, a permission, or numbers of a policy. Plain data. */
export interface ControlEntry {
  /** What the entry does. */
  readonly kind: EntryKind
  /** Whom it concerns: a subject as decisions show it (`user:42`), or a network (`203.0.113.0/24`). Absent for a `change`. */
  readonly target?: string | undefined
  /** The policy of an `override` or a `change`. */
  readonly policy?: string | undefined
  /** The numbers that it gives the policy; those that it does not name stay. */
  readonly numbers?: PolicyNumbers | undefined
  /** When the entry was made. Unix milliseconds. */
  readonly at: number
  /** When the entry ends. Unix milliseconds. Absent: never. */
  readonly until?: number | undefined
  /** Why, in the words of the operator. */
  readonly reason?: string | undefined
  /** Who acted. */
  readonly by?: string | undefined
  /**
   * `"process"` while the entry holds in this process alone, because the store has not taken it yet. Absent: in every process of the
   * store. It is told by `Control` and never written.
   */
  readonly scope?: 'process' | undefined
}

/** Whether a target is a network. A subject names its kind before a colon, and a slash only behind a masked address. */
export function isNetwork(target: string): boolean {
  return /^[0-9a-f.:]+\/\d+$/i.test(target)
}
