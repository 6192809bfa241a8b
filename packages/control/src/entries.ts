import {
  type ControlEntry,
  type Duration,
  type EntryKind,
  isNetwork,
  type PolicyNumbers,
} from '@halt/core/gate'

export { isNetwork }
export type { ControlEntry, EntryKind, PolicyNumbers }

/** Options of an act: its author, its reason, its end, and its fate while the store is away. */
export interface ActOptions {
  /** How long the entry holds. Default: until somebody takes it back. */
  readonly for?: Duration | undefined
  /** When the entry ends. Not together with `for`. */
  readonly until?: Date | undefined
  /** The reason in the operator's words, at most 1 000 characters. */
  readonly reason?: string | undefined
  /** The operator who acts, at most 1 000 characters. */
  readonly by?: string | undefined
  /**
   * What becomes of the act if the store does not take it within about a second. `"local"`: it holds in this process alone, at once,
   * and is written when the store answers again. `"reject"`: nothing is changed, and the call rejects with `HALT_E_STORE`. Default:
   * `"local"` if a limiter of this process obeys this `Control`, else `"reject"`, because a script would end before the store is back.
   */
  readonly onStoreError?: 'local' | 'reject' | undefined
  /**
   * The entry that the act replaces or takes back, as an earlier act gave it; `null` for none. If another one stands there, the act
   * changes nothing, and rejects with `HALT_E_CONTROL_REPLACED`. So an undo takes nothing back that somebody else did meanwhile.
   */
  readonly replaces?: EntryFacts | null | undefined
}

/** Options of an act on a network or on a client. */
export interface BlockOptions extends ActOptions {
  /**
   * Whether a network is accepted although it is larger than one owner has: IPv4 with a prefix below 8 bits, IPv6 with one below 19.
   * Default false.
   */
  readonly force?: boolean | undefined
}

/** Identifies an entry among those about the same client and policy. */
export type EntryFacts = Pick<ControlEntry, 'at' | 'until' | 'by' | 'reason' | 'numbers'>

/** A kind of entries. */
export interface EntryKindFacts {
  /** Whether such an entry concerns one client or network. Otherwise it concerns everybody. */
  readonly hasTarget: boolean
  /** Whether it sets numbers of a policy. Otherwise it blocks clients or lets them pass, whatever the policy. */
  readonly hasNumbers: boolean
  /** The act that takes it back. */
  readonly endedBy: 'unblock' | 'disallow' | 'revert'
}

/** The kinds of entries. */
export const ENTRY_KINDS: Readonly<Record<EntryKind, EntryKindFacts>> = Object.freeze({
  block: { hasTarget: true, hasNumbers: false, endedBy: 'unblock' },
  allow: { hasTarget: true, hasNumbers: false, endedBy: 'disallow' },
  override: { hasTarget: true, hasNumbers: true, endedBy: 'revert' },
  change: { hasTarget: false, hasNumbers: true, endedBy: 'revert' },
})

/** The acts that change counters and no entry, so that only the history tells of them. `pause` and `resume` are those of a limiter. */
export const NOTED_ACTS = ['reset', 'grant', 'ungrant', 'forgive', 'pause', 'resume'] as const

/** One of {@link NOTED_ACTS}. */
export type NotedAct = (typeof NOTED_ACTS)[number]

/** One act of an operator, as the history tells it. */
export interface ControlAct extends Omit<ControlEntry, 'kind'> {
  readonly act: EntryKind | EntryKindFacts['endedBy'] | NotedAct
  /** The units of a `grant` or an `ungrant`; the counters of a `reset`. */
  readonly units?: number | undefined
}

/**
 * Names the slot of an entry: a new entry replaces the one of the same kind, target and policy. A block and a permission of one client are two, so that the
 * permission counts again after the block.
 */
export function slotOf({
  kind,
  target = '',
  policy = '',
}: Pick<ControlEntry, 'kind' | 'target' | 'policy'>): string {
  return `${kind} ${policy} ${target}`
}

/** Whether an entry holds at an instant, in Unix milliseconds. */
export function holds({ until }: Pick<ControlEntry, 'until'>, now: number): boolean {
  return until === undefined || now < until
}
