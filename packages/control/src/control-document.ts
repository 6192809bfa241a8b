import { numberOf } from '@halt/core/gate'
import { type ControlEntry, holds, slotOf } from './entries.ts'

/** An entry, and when it was made or replaced, by which processes agree which of two entries of a slot is the later one. */
export interface StampedEntry extends ControlEntry {
  /** Unix milliseconds. Absent: `at`. Later than `at` if the slot had an entry with that stamp already. */
  readonly stamp?: number | undefined
}

/** The control document, as it is read. */
export interface ControlDocument {
  /** A random id that all later versions keep. Undefined in a document that nobody has written through a Control. */
  readonly line: string | undefined
  /** The versions before this one, the latest first, at most {@link MOST_BEFORE}. */
  readonly before: readonly string[]
  /** The last version that somebody wrote by hand, over which the document was written on. */
  readonly byHand?: string | undefined
  readonly entries: readonly StampedEntry[]
  /** When the entry of a slot was taken back, in Unix milliseconds, by slot. Kept for a day. */
  readonly ended: ReadonlyMap<string, number>
}

/** A document, and the version under which the store has it or had it. */
export interface HeldDocument {
  readonly version: string
  readonly document: ControlDocument
}

/** How many earlier versions a document names. */
const MOST_BEFORE = 32

/** The document that nobody has written. */
export const NO_ENTRIES: ControlDocument = Object.freeze({
  line: undefined,
  before: Object.freeze([]),
  entries: Object.freeze([]),
  ended: new Map(),
})

/** The stamp of an entry, in Unix milliseconds. */
function stampOf({ stamp, at }: StampedEntry): number {
  return stamp ?? at
}

/** An entry as operators see it. */
export function withoutStamp(stamped: StampedEntry): ControlEntry {
  const { stamp: _, ...entry } = stamped
  return entry
}

/**
 * Whether a document is a later version of another one, so that it counts as it is. Otherwise the store has lost writes in between:
 * all of them, or the last ones, as by a failover to an older copy.
 */
export function follows({ version, document }: HeldDocument, held: HeldDocument): boolean {
  // Nobody has written the document, so this process adds its own acts to every document that it reads.
  if (numberOf(held.version) === 0) return true
  const writes = numberOf(version) - numberOf(held.version)
  if (writes <= 0) return version === held.version
  const { line, before, byHand = '0' } = document
  // Somebody wrote by hand over what was held: an operator may empty the document so.
  if (line === undefined || numberOf(byHand) > numberOf(held.version)) return true
  if (before.includes(held.version)) return true
  return writes > before.length && before.length >= MOST_BEFORE && line === held.document.line
}

/** A document that is to replace another one in the store. @param line the line to give to a document that has no line yet */
export function written(document: ControlDocument, replaced: HeldDocument, line: string): ControlDocument {
  const { version, document: old } = replaced
  const isFirst = numberOf(version) === 0
  return {
    ...document,
    line: old.line ?? line,
    before: isFirst ? [] : [version, ...old.before].slice(0, MOST_BEFORE),
    byHand: old.line === undefined && !isFirst ? version : old.byHand,
  }
}

/** The slots that a document took from another one. */
export interface Merged {
  /** Where an entry was missing, or had been taken back in the other document. */
  readonly changed: readonly string[]
  /** Where there was no entry, and it was not known that one had been taken back. */
  readonly remembered: readonly string[]
}

/** A document while acts change it. The latest act of a slot counts. */
export class DocumentDraft {
  readonly #line: string | undefined
  readonly #entries: Map<string, StampedEntry>
  readonly #ended: Map<string, number>

  constructor({ line, entries, ended }: ControlDocument) {
    this.#line = line
    this.#entries = new Map(entries.map(entry => [slotOf(entry), entry]))
    this.#ended = new Map(ended)
  }

  /** The entry of a slot. */
  entryOf(slot: string): StampedEntry | undefined {
    return this.#entries.get(slot)
  }

  /** Whether it is known that a slot has an entry, or that its entry was taken back. */
  isKnown(slot: string): boolean {
    return this.#entries.has(slot) || this.#ended.has(slot)
  }

  /** Adds an entry, in place of the one of its slot. */
  put(entry: ControlEntry): StampedEntry {
    const slot = slotOf(entry)
    const least = this.#stampOf(slot) + 1
    const stamped = entry.at >= least ? entry : { ...entry, stamp: least }
    this.#set(slot, stamped)
    return stamped
  }

  /** Takes the entry of a slot back. @param at when, in Unix milliseconds */
  end(slot: string, at: number): void {
    this.#ended.set(slot, Math.max(at, this.#stampOf(slot) + 1))
    this.#entries.delete(slot)
  }

  /**
   * Adds the acts of another document that are later than the acts of this one. Entries that have ended are left out.
   *
   * @param now the store's time, in Unix milliseconds
   * @param isWanted whether the acts on a slot are added. Default: all
   */
  merge(
    { entries, ended }: ControlDocument,
    now: number,
    isWanted: (slot: string) => boolean = () => true,
  ): Merged {
    const changed: string[] = []
    const remembered: string[] = []
    for (const entry of entries) {
      const slot = slotOf(entry)
      if (!holds(entry, now) || !isWanted(slot) || stampOf(entry) <= this.#stampOf(slot)) continue
      this.#set(slot, entry)
      changed.push(slot)
    }
    for (const [slot, stamp] of ended) {
      if (!isWanted(slot) || stamp <= this.#stampOf(slot)) continue
      ;(this.#entries.delete(slot) ? changed : remembered).push(slot)
      this.#ended.set(slot, stamp)
    }
    return { changed, remembered }
  }

  /** The document with its changes. It does not say which versions were before it. */
  toDocument(): ControlDocument {
    const entries = [...this.#entries.values()]
    return { line: this.#line, before: [], entries, ended: new Map(this.#ended) }
  }

  #set(slot: string, entry: StampedEntry): void {
    // The latest entry comes last.
    this.#entries.delete(slot)
    this.#entries.set(slot, entry)
    this.#ended.delete(slot)
  }

  #stampOf(slot: string): number {
    const entry = this.#entries.get(slot)
    return Math.max(entry === undefined ? -1 : stampOf(entry), this.#ended.get(slot) ?? -1)
  }
}
