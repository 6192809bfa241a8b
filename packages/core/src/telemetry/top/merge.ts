import { byCount, type TopKey, type TopLists } from './tables.ts'

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
