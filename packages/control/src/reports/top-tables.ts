import { type HeavyKey, HeavyKeys } from '@halt/core/telemetry'

/** A key that is among the most used or the most refused ones of a policy. */
export interface TopKey extends HeavyKey {
  readonly policy: string
}

/** The keys of one process, or of all, the most frequent first. */
export interface TopLists {
  /** The keys of admitted requests. */
  readonly used: readonly TopKey[]
  /** The keys that a policy refused. */
  readonly refused: readonly TopKey[]
}

/** The length of a window, in milliseconds. */
const WINDOW_MS = 60_000

type Tables = Map<string, HeavyKeys>

/**
 * Counts keys by policy in two windows of a minute: the current one, and the one before it. So a count tells of the last one to two
 * minutes. It looks at the clock with each addition, and has no timer.
 */
export class TopTables {
  readonly #counters: number
  #current: Tables = new Map()
  #last: Tables = new Map()
  #endsAt = 0

  /** @param counters how many keys each table holds at most */
  constructor(counters: number) {
    this.#counters = counters
  }

  /** @param now Unix milliseconds */
  add(policy: string, key: string, now: number): void {
    if (now >= this.#endsAt) this.#turn(now)
    let table = this.#current.get(policy)
    if (table === undefined) this.#current.set(policy, (table = new HeavyKeys(this.#counters)))
    table.add(key)
  }

  /** The most frequent keys of each policy, the most frequent first. */
  top(most: number, now: number): TopKey[] {
    if (now >= this.#endsAt) this.#turn(now)
    const policies = new Set([...this.#current.keys(), ...this.#last.keys()])
    return [...policies].flatMap(policy => this.#topOf(policy, most)).sort(byCount)
  }

  /** Whether the windows hold no key. */
  isEmpty(now: number): boolean {
    if (now >= this.#endsAt) this.#turn(now)
    return this.#current.size + this.#last.size === 0
  }

  #topOf(policy: string, most: number): TopKey[] {
    const tables = [this.#current.get(policy), this.#last.get(policy)].filter(table => table !== undefined)
    const keys = new Set(tables.flatMap(table => table.top(most)).map(({ key }) => key))
    const sums = [...keys].map(key => {
      // A full table may have dropped the key: it counted it `least` times at most.
      const parts = tables.map(table => table.find(key) ?? { count: table.least, error: table.least })
      const [count, error] = [sum(parts.map(part => part.count)), sum(parts.map(part => part.error))]
      return { policy, key, count, error }
    })
    return sums.sort(byCount).slice(0, most)
  }

  #turn(now: number): void {
    const isNext = now < this.#endsAt + WINDOW_MS
    this.#last = isNext ? this.#current : new Map()
    this.#current = new Map()
    this.#endsAt = isNext ? this.#endsAt + WINDOW_MS : now + WINDOW_MS
  }
}

/** Orders keys by what is certain: the highest lower bound of the count first. */
function byCount(a: HeavyKey, b: HeavyKey): number {
  return b.count - b.error - (a.count - a.error) || b.count - a.count
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

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
  return isName(policy) && isName(key) && isCount(count) && isCount(error) && error <= count
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
