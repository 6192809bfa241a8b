// The lists of the busiest keys, as processes write them for each other and add them up.
import { isText } from '../read-values.ts'
import { byCount, type TopKey, type TopLists } from './top-tables.ts'

/** Adds up the lists of several processes. Keeps the first keys of each policy. */
export function mergeTop(lists: readonly TopLists[], most: number): TopLists {
  return {
    used: merge(
      lists.map(({ used }) => used),
      most,
    ),
    refused: merge(
      lists.map(({ refused }) => refused),
      most,
    ),
  }
}

function merge(lists: readonly (readonly TopKey[])[], most: number): readonly TopKey[] {
  const policies = new Map<string, Map<string, TopKey>>()
  for (const { policy, key, count, error } of lists.flat()) {
    const keys = policies.get(policy) ?? new Map<string, TopKey>()
    const known = keys.get(key)
    policies.set(
      policy,
      keys.set(key, {
        policy,
        key,
        count: count + (known?.count ?? 0),
        error: error + (known?.error ?? 0),
      }),
    )
  }
  return [...policies.values()].flatMap(keys => [...keys.values()].sort(byCount).slice(0, most)).sort(byCount)
}

/** The longest text, in characters. Shorter than a report may be, because every process reads the reports of all processes. */
const LONGEST = 8_000
const LONGEST_NAME = 300
const MOST_KEYS = 2_000

type Row = readonly [policy: string, key: string, count: number, error: number]

/**
 * Writes lists as the text of a report. If there is no room, the least frequent keys of each policy are dropped.
 *
 * @param most how many keys of each policy are written at most
 */
export function writeTop(lists: TopLists, most: number): string {
  const { used, refused } = mergeTop([lists], most)
  const text = JSON.stringify({ used: used.map(toRow), refused: refused.map(toRow) })
  return text.length <= LONGEST || most === 0 ? text : writeTop(lists, Math.floor(most / 2))
}

/** Reads the text of a report. What is broken is left out, because other processes wrote it. */
export function readTop(text: string): TopLists {
  try {
    const { used, refused } = JSON.parse(text) as { used?: unknown; refused?: unknown }
    return { used: keysOf(used), refused: keysOf(refused) }
  } catch {
    return { used: [], refused: [] }
  }
}

function toRow({ policy, key, count, error }: TopKey): Row {
  return [policy, key, count, error]
}

function keysOf(rows: unknown): TopKey[] {
  if (!Array.isArray(rows)) return []
  return rows
    .slice(0, MOST_KEYS)
    .filter(isRow)
    .map(([policy, key, count, error]) => ({ policy, key, count, error }))
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row)) return false
  const [policy, key, count, error] = row as unknown[]
  return (
    isText(policy, LONGEST_NAME) &&
    isText(key, LONGEST_NAME) &&
    isCount(count) &&
    isCount(error) &&
    error <= count
  )
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
