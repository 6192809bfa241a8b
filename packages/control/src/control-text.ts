import { HaltError, isVersion, MAX_DOCUMENT } from '@halt/core/gate'
import { isPolicyNumbers } from './act-check.ts'
import { type ControlDocument, NO_ENTRIES, type StampedEntry } from './control-document.ts'
import { type ControlAct, ENTRY_KINDS, type EntryKind, holds, isNetwork } from './entries.ts'
import { isNetworkEntry } from './network-entries.ts'
import { isObject, isText } from './read-values.ts'

/** The most entries of a control document. */
const MAX_ENTRIES = 10_000
/** The most acts that the history keeps. */
const MAX_ACTS = 1_000
/** How long an entry that has ended is kept, in milliseconds, because the clock of the operator's process may be wrong. */
export const KEPT_MS = 86_400_000
// How many entries that were taken back a document names: as a rule, and where it is full.
const MOST_ENDED = [1_000, 50] as const
// The version of the form. A document of another version is left alone.
const FORM = 1

/**
 * Writes a document, and drops the entries that have ended: a day ago, or, if the others do not fit, at any time.
 *
 * @param now the store's time, in Unix milliseconds
 * @throws HaltError `HALT_E_CONTROL_FULL` if there are too many, or they take too much room
 */
export function writeDocument(document: ControlDocument, now: number): string {
  const kept = document.entries.filter(entry => holds(entry, now - KEPT_MS))
  const text = textOf(document, kept, now, MOST_ENDED[0])
  if (fits(kept, text)) return text
  const entries = kept.filter(entry => holds(entry, now))
  const shorter = textOf(document, entries, now, MOST_ENDED[1])
  if (fits(entries, shorter)) return shorter
  throw new HaltError(
    'HALT_E_CONTROL_FULL',
    `The control document would hold ${entries.length} entries and ${shorter.length} characters.`,
    `Take entries back, or give them an end: at most ${MAX_ENTRIES} entries and ${MAX_DOCUMENT} characters fit. Block a network instead of its addresses.`,
  )
}

function textOf(
  { line, before, byHand, ended }: ControlDocument,
  entries: readonly StampedEntry[],
  now: number,
  most: number,
): string {
  const recent = [...ended].filter(([, at]) => at > now - KEPT_MS)
  const kept = recent.toSorted(([, a], [, b]) => a - b).slice(-most)
  return JSON.stringify({ halt: FORM, line, before, byHand, entries, ended: kept })
}

function fits({ length }: readonly StampedEntry[], text: string): boolean {
  return length <= MAX_ENTRIES && text.length <= MAX_DOCUMENT
}

/**
 * Reads a document.
 *
 * @throws Error that says what is wrong, if the text is not a control document of this version
 */
export function readDocument(text: string): ControlDocument {
  if (text === '') return NO_ENTRIES
  const document = JSON.parse(text) as Readonly<Record<string, unknown>> | null
  if (document?.['halt'] !== FORM) throw new Error(`its form is ${String(document?.['halt'])}, not ${FORM}`)
  const { entries, line, before = [], byHand, ended = [] } = document
  if (!Array.isArray(entries) || entries.length > MAX_ENTRIES) throw new Error('it has no list of entries')
  const wrong = entries.findIndex(entry => !isEntry(entry))
  if (wrong >= 0) throw new Error(`its entry ${wrong} is not an entry`)
  if (line !== undefined && !isText(line)) throw new Error('its line is not a text')
  if (!Array.isArray(before) || ![...before, byHand ?? '0'].every(isVersion))
    throw new Error('its earlier versions are not a list')
  if (!Array.isArray(ended) || !ended.every(isEnd)) throw new Error('its list of ended entries is broken')
  return { line, before, byHand: byHand as string | undefined, entries, ended: new Map(ended) }
}

function isEnd(end: unknown): end is readonly [string, number] {
  return Array.isArray(end) && end.length === 2 && isText(end[0]) && Number.isFinite(end[1])
}

/** Writes the history, the latest act last. The oldest acts are dropped: a tenth if there is no room, so that the next acts drop none. */
export function writeHistory(acts: readonly ControlAct[]): string {
  let kept = acts.slice(-MAX_ACTS)
  let text = JSON.stringify({ halt: FORM, acts: kept })
  while (text.length > MAX_DOCUMENT && kept.length > 1) {
    kept = kept.slice(Math.ceil(kept.length / 10))
    text = JSON.stringify({ halt: FORM, acts: kept })
  }
  return text
}

/** Reads the history. A broken one counts as empty, because it decides nothing. */
export function readHistory(text: string): readonly ControlAct[] {
  try {
    const { acts } = JSON.parse(text) as { acts?: unknown }
    return Array.isArray(acts) ? acts.filter(isAct) : []
  } catch {
    return []
  }
}

function isEntry(entry: unknown): entry is StampedEntry {
  if (!isObject(entry)) return false
  const { kind, target, policy, numbers, stamp } = entry
  if (typeof kind !== 'string' || !Object.hasOwn(ENTRY_KINDS, kind)) return false
  const { hasTarget, hasNumbers } = ENTRY_KINDS[kind as EntryKind]
  return (
    (hasTarget ? isText(target) : target === undefined) &&
    (hasNumbers ? isText(policy) && isPolicyNumbers(numbers) : isWhom(target as string)) &&
    (stamp === undefined || Number.isFinite(stamp)) &&
    hasFacts(entry)
  )
}

/** Whether a target names clients: any subject, or a network that an entry may name. */
function isWhom(target: string): boolean {
  return !isNetwork(target) || isNetworkEntry(target)
}

function isAct(act: unknown): act is ControlAct {
  return isObject(act) && isText(act['act']) && hasFacts(act)
}

function hasFacts({ at, until, reason, by }: Readonly<Record<string, unknown>>): boolean {
  const isMaybeText = (value: unknown): boolean => value === undefined || typeof value === 'string'
  return (
    Number.isFinite(at) &&
    (until === undefined || Number.isFinite(until)) &&
    isMaybeText(reason) &&
    isMaybeText(by)
  )
}
