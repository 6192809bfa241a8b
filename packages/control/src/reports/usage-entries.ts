// The entries of one document of `UsageByUser`: the units by user of limits that several users share. Processes write them for each other.

import { isText } from '../read-values.ts'

/** The units that the users of one limit took in one period. */
export interface UsageEntry {
  readonly policy: string
  /** The key that the users share: `custom:acme`. */
  readonly key: string
  /** Since when it is counted. Unix seconds. */
  since: number
  /** When the period ends. Unix seconds. */
  readonly until: number
  /** Units that name no user: of requests without one, and of users for whom there was no room. */
  others: number
  /** By the user's key. */
  readonly users: Map<string, number>
}

/** The entries of one document, by the limit, the key and the period. */
export type UsageEntries = Map<string, UsageEntry>

/** The number of documents. A key always stands in the same one, together with all others that fall to it. */
export const SLOTS = 256
/** The longest document, in characters. */
const ROOM = 32_000
/** The most users of an entry. */
const MOST_USERS = 200
const LONGEST_NAME = 300
/** The version of the form. A document of another version is replaced. */
const FORM = 1

/** The document of a key: 0 to 255, by a 32-bit FNV-1a hash. */
export function slotOfKey(key: string): number {
  let hash = 0x81_1c_9d_c5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01_00_01_93)
  return (hash >>> 0) % SLOTS
}

/** The name of a document. */
export function documentOfSlot(slot: number): string {
  return `usage-${slot}`
}

/** Names the entry of a limit, a key and a period. */
export function idOfEntry({ policy, key, until }: Pick<UsageEntry, 'policy' | 'key' | 'until'>): string {
  return `${policy} ${until} ${key}`
}

/** The entry of a limit, a key and a period. A new one is empty. */
export function entryIn(
  entries: UsageEntries,
  { policy, key, since, until }: Pick<UsageEntry, 'policy' | 'key' | 'since' | 'until'>,
): UsageEntry {
  const id = idOfEntry({ policy, key, until })
  let entry = entries.get(id)
  if (entry === undefined)
    entries.set(id, (entry = { policy, key, since, until, others: 0, users: new Map() }))
  return entry
}

/** Adds units to those of a user, or to those that name no user. */
export function addUnits(entry: UsageEntry, user: string | undefined, units: number): void {
  if (user === undefined) entry.others += units
  else entry.users.set(user, (entry.users.get(user) ?? 0) + units)
}

/** Adds entries to others. Entries whose period ended before `now` (Unix seconds) are dropped. */
export function mergeUsage(into: UsageEntries, added: UsageEntries, now: number): void {
  for (const entry of added.values()) {
    const known = entryIn(into, entry)
    known.since = Math.min(known.since, entry.since)
    known.others += entry.others
    for (const [user, units] of entry.users) addUnits(known, user, units)
  }
  for (const [id, { until }] of into) if (until <= now) into.delete(id)
}

type Row = readonly [
  policy: string,
  key: string,
  since: number,
  until: number,
  others: number,
  users: readonly (readonly [user: string, units: number])[],
]

/**
 * Writes the text of a document. If there is no room, every entry keeps its heaviest users, the same number each, and the units of the
 * others name nobody any more. If that is not enough, the entries with the fewest units are dropped.
 */
export function writeUsage(entries: UsageEntries): string {
  for (let most = MOST_USERS; ; most >>= 1) {
    const rows = [...entries.values()].map(entry => rowOf(entry, most))
    const text = textOf(rows)
    if (text.length <= ROOM) return text
    if (most === 1) return heaviestOf(rows)
  }
}

/** The text of the rows with the most units, as far as there is room. */
function heaviestOf(rows: readonly Row[]): string {
  const heaviest = rows.toSorted((a, b) => unitsIn(b) - unitsIn(a))
  while (textOf(heaviest).length > ROOM) heaviest.length = Math.floor(heaviest.length / 2)
  return textOf(heaviest)
}

function textOf(rows: readonly Row[]): string {
  return JSON.stringify({ halt: FORM, rows })
}

function rowOf({ policy, key, since, until, others, users }: UsageEntry, most: number): Row {
  const all = [...users].sort(([, a], [, b]) => b - a)
  const rest = all.slice(most).reduce((sum, [, units]) => sum + units, 0)
  return [policy, key, since, until, others + rest, all.slice(0, most)]
}

function unitsIn([, , , , others, users]: Row): number {
  return users.reduce((sum, [, units]) => sum + units, others)
}

/** Reads the text of a document. What is broken is left out, because other processes wrote it. */
export function readUsage(text: string): UsageEntries {
  const entries: UsageEntries = new Map()
  try {
    const { halt, rows } = JSON.parse(text) as { halt?: unknown; rows?: unknown }
    if (halt !== FORM || !Array.isArray(rows)) return entries
    for (const [policy, key, since, until, others, users] of rows.filter(isRow)) {
      const entry = entryIn(entries, { policy, key, since, until })
      entry.others += others
      for (const [user, units] of users) addUnits(entry, user, units)
    }
  } catch {
    // Nobody has written it yet.
  }
  return entries
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row)) return false
  const [policy, key, since, until, others, users] = row as unknown[]
  return (
    [policy, key].every(name => isText(name, LONGEST_NAME)) &&
    [since, until, others].every(isAmount) &&
    Array.isArray(users) &&
    users.length <= MOST_USERS &&
    users.every(user => Array.isArray(user) && isText(user[0], LONGEST_NAME) && isAmount(user[1]))
  )
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}
