import {
  messageOf,
  NEVER_WRITTEN,
  type Store,
  type StoreClock,
  storeClockOf,
  type StoreDocument,
  type VersionedText,
  type WarnOnce,
} from '@halt/core/gate'
import {
  type ControlDocument,
  DocumentDraft,
  follows,
  type HeldDocument,
  NO_ENTRIES,
  withoutStamp,
} from './control-document.ts'
import { ControlState } from './control-state.ts'
import { KEPT_MS, readDocument } from './control-text.ts'
import { DocumentWarnings } from './document-warnings.ts'
import { type ControlEntry, holds, slotOf } from './entries.ts'
import type { PolicyWatch } from './policy-watch.ts'
import { answers, learnTime, readNewText, readText, type Wait } from './store-calls.ts'

/** How many readings in a row must fail before it is asked whether the document alone is broken. */
const FAILURES = 3
const QUIET: Wait = { quiet: true }

/**
 * Why this process is ahead of the store in a slot: an operator acted here, or the store lost what it had. `"ended"`: the store does not
 * know that the entry was taken back, and has none. It need not be told, unless it gets one from a process that remembers less.
 */
type Lead = 'acted' | 'lost' | 'ended'

/** A document that was read, and a draft of it with the acts of this process that it lacks. */
export interface ReadDraft {
  readonly found: HeldDocument
  readonly draft: DocumentDraft
  /** The slots in which the document lacks acts of this process. */
  readonly missing: readonly string[]
  /** Whether the store has lost writes since this process read it. */
  readonly isLoss: boolean
  /** The slots whose entry was taken back, which the store does not know and need not know. */
  readonly ended: readonly string[]
}

/**
 * The control document that this process obeys: the last one that the store had, with the acts that the store has lost or not taken yet.
 */
export class Ledger {
  /** The entries that this process obeys, ready to be looked up; undefined if there are none. */
  state: ControlState | undefined
  /** Why the last document could not be read; undefined if it could. */
  problem: string | undefined
  /** Whether the last call of the store failed. */
  isAway = false
  /** The clock by which entries begin and end: the store's. */
  readonly clock: StoreClock
  readonly document: StoreDocument
  readonly #store: Store
  readonly #warnings: DocumentWarnings
  readonly #watch: PolicyWatch
  #held: HeldDocument | undefined
  // The version that was read last. It may be one that cannot be used.
  #seen: string | undefined
  // When the store last had the document that this process holds, by this process's clock.
  #seenAt = 0
  #changes = 0
  #failures = 0
  #isTimeKnown = false
  #hasRead = false
  #ahead = new Map<string, Lead>()

  constructor(store: Store, document: StoreDocument, warn: WarnOnce, watch: PolicyWatch) {
    this.clock = storeClockOf(store)
    this.document = document
    this.#store = store
    this.#warnings = new DocumentWarnings(warn)
    this.#watch = watch
  }

  /** Whether this process has acts that the store must be given: it has lost them, or was away. */
  get isAhead(): boolean {
    for (const lead of this.#ahead.values()) if (lead !== 'ended') return true
    return false
  }

  /** Whether a document was ever read, so that this process knows what held. */
  get hasRead(): boolean {
    return this.#hasRead
  }

  /** Grows whenever another document is held. */
  get changes(): number {
    return this.#changes
  }

  /** The entries that this process obeys. Those that the store has not taken yet are marked. */
  entries(): readonly ControlEntry[] {
    const now = this.clock.now()
    const entries = this.#held?.document.entries.filter(entry => holds(entry, now)) ?? []
    return entries.map(entry => this.marked(withoutStamp(entry)))
  }

  /** An entry, marked if it holds in this process alone. */
  marked(entry: ControlEntry): ControlEntry {
    return this.#ahead.get(slotOf(entry)) === 'acted' ? { ...entry, scope: 'process' } : entry
  }

  /** Reads the document, and obeys it. @throws HaltError `HALT_E_STORE` */
  async read(wait: Wait = {}): Promise<VersionedText> {
    const before = this.#changes
    const found = await readText(this.document, wait)
    // Meanwhile an act of this process may have written a later one.
    if (this.#changes !== before) return this.read(wait)
    await this.accept(found, wait)
    return found
  }

  /** Reads the document if it has changed. Never rejects. Resolves to whether the store answered. */
  async look(): Promise<boolean> {
    const before = this.#changes
    try {
      const found = await readNewText(this.document, this.#seen, QUIET)
      if (this.#changes !== before) return true
      if (found === undefined) this.#answered(true)
      else await this.accept(found, QUIET)
      return true
    } catch (error) {
      await this.#failed(error)
      return false
    }
  }

  /** Obeys a document that was read. Asks the store for the time before the first one that is not empty. */
  async accept(found: VersionedText, wait: Wait = {}): Promise<void> {
    if (!this.#isTimeKnown && found.text !== '') {
      const before = this.#changes
      this.noteTime(await learnTime(this.#store, this.clock, wait))
      if (this.#changes !== before) return void (await this.read(wait))
    }
    const isKnown = found.version === this.#seen
    this.#seen = found.version
    this.#answered(isKnown)
    if (isKnown && this.problem === undefined) return
    try {
      const { draft, missing, ended, isLoss } = this.draftOf(found)
      this.#answered(true)
      if (isLoss) this.#warnings.lost()
      const ahead = new Map<string, Lead>(ended.map(slot => [slot, 'ended']))
      for (const slot of missing) ahead.set(slot, this.#ahead.get(slot) === 'acted' ? 'acted' : 'lost')
      this.#hasRead = true
      this.#hold({ version: found.version, document: draft.toDocument() }, ahead)
    } catch (error) {
      this.#tellProblem(messageOf(error))
    }
  }

  /**
   * A document that was read, with the acts of this process that it lacks.
   *
   * @throws Error if it cannot be read
   */
  draftOf({ version, text }: VersionedText): ReadDraft {
    const document = readDocument(text)
    const draft = new DocumentDraft(document)
    const found = { version, document }
    const held = this.#held
    if (held === undefined) return { found, draft, missing: [], ended: [], isLoss: false }
    const now = this.clock.now()
    const isLoss = !this.#isSuccessor(found, held)
    const { changed: missing, remembered: ended } = draft.merge(
      held.document,
      now,
      slot => isLoss || this.#ahead.has(slot),
    )
    return { found, draft, missing, ended, isLoss: isLoss && !isEmpty(held) }
  }

  /** Obeys a document that this process has written. */
  obey(document: ControlDocument, version: string): void {
    this.#answered(true)
    this.#seen = version
    this.#hold({ version, document }, new Map())
  }

  /** Obeys acts that the store did not take. @param slots the slots that the acts are about */
  obeyHere(document: ControlDocument, slots: readonly string[], error: unknown): void {
    const version = this.#held?.version ?? NEVER_WRITTEN.version
    const ahead = new Map(this.#ahead)
    for (const slot of slots) ahead.set(slot, 'acted')
    this.#hold({ version, document }, ahead)
    this.#warnings.actsHere(messageOf(error))
  }

  /** A draft of the document that this process obeys. */
  draftHere(): DocumentDraft {
    return new DocumentDraft(this.#held?.document ?? NO_ENTRIES)
  }

  /** The line of a document that this process begins. */
  get line(): string {
    return this.#held?.document.line ?? crypto.randomUUID()
  }

  /** Notes whether the store has told its time. */
  noteTime(isKnown: boolean): void {
    if (isKnown) this.#isTimeKnown = true
  }

  #isSuccessor(found: HeldDocument, held: HeldDocument): boolean {
    // A document that was read so long ago may hold entries that were taken back since, and are no longer told of.
    const isOld = Date.now() - this.#seenAt > KEPT_MS && found.version !== NEVER_WRITTEN.version
    return isOld || follows(found, held)
  }

  #hold(held: HeldDocument, ahead: Map<string, Lead>): void {
    const { entries } = held.document
    const misfit = this.#watch.misfit.bind(this.#watch)
    this.state = entries.length === 0 ? undefined : new ControlState(entries, misfit)
    this.#held = held
    this.#ahead = ahead
    this.#changes++
    this.problem = undefined
    this.#warnings.settled([...ahead.values()].includes('acted'))
  }

  /** @param isHeld whether the document that the store has is the one that this process holds */
  #answered(isHeld: boolean): void {
    this.isAway = false
    this.#failures = 0
    if (isHeld) this.#seenAt = Date.now()
  }

  // The last document holds while the store is away. The limiters tell of the outage, but not of a document that alone is broken.
  async #failed(error: unknown): Promise<void> {
    this.isAway = true
    if (++this.#failures !== FAILURES || !(await answers(this.#store, QUIET))) return
    this.#tellProblem(messageOf(error))
    // The next reading that succeeds gives the whole document.
    this.#seen = undefined
  }

  #tellProblem(problem: string): void {
    this.problem = problem
    this.#warnings.unreadable(problem)
  }
}

function isEmpty({ document }: HeldDocument): boolean {
  return document.entries.length + document.ended.size === 0
}
