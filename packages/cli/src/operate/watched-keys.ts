import type { TopKey, TopLists } from '@halt/control'

import type { Opened } from './store.ts'
import { watch } from './watch.ts'

/** The busiest keys of the processes that mount the operator's page, and how many processes told theirs. */
export interface WatchedKeys extends TopLists {
  readonly processes: number
}

/** Asks the processes for their busiest keys. @param most how many keys of each policy */
export async function watchedKeys(opened: Opened, most: number): Promise<WatchedKeys> {
  const lists = (await watch(opened)).numbers.filter(isLists)
  return {
    processes: lists.length,
    used: merged(
      lists.flatMap(({ used }) => used),
      most,
    ),
    refused: merged(
      lists.flatMap(({ refused }) => refused),
      most,
    ),
  }
}

function merged(keys: readonly TopKey[], most: number): TopKey[] {
  const all = new Map<string, TopKey>()
  for (const { policy, key, count, error } of keys) {
    const id = JSON.stringify([policy, key])
    const known = all.get(id)
    all.set(id, { policy, key, count: count + (known?.count ?? 0), error: error + (known?.error ?? 0) })
  }
  const listed = new Map<string, number>()
  return [...all.values()]
    .sort((a, b) => b.count - a.count)
    .filter(({ policy }) => {
      const n = (listed.get(policy) ?? 0) + 1
      listed.set(policy, n)
      return n <= most
    })
}

function isLists(numbers: Readonly<Record<string, unknown>>): numbers is TopLists & typeof numbers {
  return isKeys(numbers['used']) && isKeys(numbers['refused'])
}

function isKeys(value: unknown): boolean {
  return Array.isArray(value) && value.every(isKey)
}

function isKey(value: unknown): value is TopKey {
  const { policy, key, count, error } = (value ?? {}) as Partial<Record<keyof TopKey, unknown>>
  return (
    typeof policy === 'string' &&
    typeof key === 'string' &&
    Number.isSafeInteger(count) &&
    Number.isSafeInteger(error)
  )
}
