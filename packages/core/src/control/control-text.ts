import { HaltError } from '../base/errors.ts'
import { MAX_DOCUMENT } from '../store/document.ts'
import { type ControlAct, type ControlEntry, holds } from './entries.ts'

/** The most entries of a control document. */
const MAX_ENTRIES = 10_000
/** The most acts that the history keeps. */
const MAX_ACTS = 1_000
/** How long an entry that has ended is kept, in milliseconds, because the clock of whoever acts may be wrong. */
const KEPT_MS = 86_400_000
// The version of the form. A document of another version is left alone.
const FORM = 1

/**
 * Writes entries, and drops those that have ended: a day ago, or, if the others do not fit, at any time.
 *
 * @param now the store's time, in Unix milliseconds
 * @throws HaltError `HALT_E_CONTROL_FULL` if there are too many, or they take too much room
 */
export function writeEntries(all: readonly ControlEntry[], now: number): string {
  const kept = all.filter(entry => holds(entry, now - KEPT_MS))
  const text = textOf(kept)
  if (fits(kept, text)) return text
  const entries = kept.filter(entry => holds(entry, now))
  const shorter = textOf(entries)
  if (fits(entries, shorter)) return shorter
  throw new HaltError(
    'HALT_E_CONTROL_FULL',
    `The control document would hold ${entries.length} entries and ${shorter.length} characters.`,
    `Take entries back, or give them an end: at most ${MAX_ENTRIES} entries and ${MAX_DOCUMENT} characters fit. Block a network instead of its addresses.`,
  )
}

function textOf(entries: readonly ControlEntry[]): string {
  return JSON.stringify({ halt: FORM, entries })
}

function fits({ length }: readonly ControlEntry[], text: string): boolean {
  return length <= MAX_ENTRIES && text.length <= MAX_DOCUMENT
}

/**
 * Reads entries.
 *
 * @throws Error that says what is wrong, if the text is not a control document of this version
 */
export function readEntries(text: string): readonly ControlEntry[] {
  if (text === '') return []
  const document = JSON.parse(text) as { halt?: unknown; entries?: unknown } | null
  if (document?.halt !== FORM) throw new Error(`its form is ${String(document?.halt)}, not ${FORM}`)
  const { entries } = document
  if (!Array.isArray(entries) || entries.length > MAX_ENTRIES) throw new Error('it has no list of entries')
  const wrong = entries.findIndex(entry => !isEntry(entry))
  if (wrong >= 0) throw new Error(`its entry ${wrong} is not an entry`)
  return entries as ControlEntry[]
}

/** Writes the history, the latest act last. The oldest acts are dropped. */
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

function isEntry(entry: unknown): entry is ControlEntry {
  if (!isObject(entry)) return false
  const { kind, target, policy, numbers } = entry
  const isAccess = kind === 'block' || kind === 'allow'
  const isPolicy = kind === 'override' || kind === 'change'
  return (
    (isAccess || isPolicy) &&
    (kind === 'change' ? target === undefined : isText(target)) &&
    (isAccess || (isText(policy) && isObject(numbers))) &&
    hasFacts(entry)
  )
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
