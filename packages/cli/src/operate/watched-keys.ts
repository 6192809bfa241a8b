import { setTimeout as sleep } from 'node:timers/promises'
import { Reports, type TopKey, type TopLists } from '@halt/core'

import type { Opened } from './store.ts'

/** The documents by which processes with an operator's page share their numbers while somebody watches. */
const [WATCHED, NUMBERS] = ['operator-watched', 'operator-numbers'] as const
/** The version of their form. Reports of another version are left out. */
const FORM = 2
/** How long reports are waited for: processes look every two seconds whether somebody watches. Milliseconds. */
const PATIENCE_MS = 6_000
const STEP_MS = 250

/** The busiest keys of the processes that mount the operator's page, and how many processes told theirs. */
export interface WatchedKeys extends TopLists {
  readonly processes: number
}

/** Watches as the operator's page does: tells the processes so, and waits until all that live have told their keys. */
export async function watchedKeys({ store, place }: Opened, most: number): Promise<WatchedKeys> {
  const reports = new Reports({ store, name: NUMBERS, warn: () => {} })
  const document = store.document(WATCHED)
  const found = await document.read()
  // The version says that somebody watches. The text names clients at which pages look, so it stays. If another one wrote meanwhile, it
  // has told the same.
  await document.write(found?.text || '{}', found?.version ?? '0')
  const before = new Map((await reports.read()).map(({ process, at }) => [process, at]))
  let fresh: readonly TopLists[] = []
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    await sleep(STEP_MS)
    const all = (await reports.read()).filter(({ process, at }) => before.get(process) !== at)
    fresh = all.flatMap(({ text }) => listsIn(text) ?? [])
    if (fresh.length >= (place.processes ?? Number.POSITIVE_INFINITY)) break
  }
  return {
    processes: fresh.length,
    used: merged(
      fresh.flatMap(({ used }) => used),
      most,
    ),
    refused: merged(
      fresh.flatMap(({ refused }) => refused),
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

/** The keys in a report; undefined if it is broken, or of another version. */
function listsIn(text: string): TopLists | undefined {
  try {
    const { halt, used, refused } = JSON.parse(text) as { halt: unknown; used: unknown; refused: unknown }
    return halt === FORM && isKeys(used) && isKeys(refused) ? { used, refused } : undefined
  } catch {
    return undefined
  }
}

function isKeys(value: unknown): value is readonly TopKey[] {
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
