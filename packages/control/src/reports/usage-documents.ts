// The documents of a store in which its processes add up who used which limit.
import { type Store, storeClockOf } from '@halt/core/gate'
import { documentsOf, learnTime, readText, writeText } from '../store-calls.ts'
import {
  documentOfSlot,
  mergeUsage,
  readUsage,
  slotOfKey,
  SLOTS,
  type UsageEntries,
  writeUsage,
} from './usage-entries.ts'

/** The use of one limit by the users who share it. */
export interface LimitUsage {
  readonly policy: string
  /** Since when its users were counted: Unix seconds. */
  readonly since: number
  /** When the counted period ends: Unix seconds. */
  readonly until: number
  /** The users and the units that their requests took, the most first. A user took at least so many. */
  readonly users: readonly { readonly key: string; readonly units: number }[]
  /** Units that name no user: of requests without one, and of users for whom there was no room. */
  readonly others: number
}

/** How often a document is written while other processes write it. */
const ATTEMPTS = 4
/** How many documents are read at a time. */
const READ_TOGETHER = 32

/**
 * Adds the counts of a process to those of the store. Never rejects.
 *
 * @param failed hears why the store did not answer
 * @returns `untouched` if the store has certainly not taken the counts, `unknown` if it may have
 */
export async function addUsage(
  store: Store,
  slot: number,
  added: UsageEntries,
  failed: (error: unknown) => void,
): Promise<'added' | 'untouched' | 'unknown'> {
  const document = documentsOf(store)(documentOfSlot(slot))
  const now = Math.max(...Array.from(added.values(), ({ since }) => since))
  let isWriting = false
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      isWriting = false
      const { text, version } = await readText(document, { quiet: true })
      const entries = readUsage(text)
      mergeUsage(entries, added, now)
      isWriting = true
      const written = await writeText(document, writeUsage(entries), version, { quiet: true })
      if (written !== undefined) return 'added'
    }
    return 'untouched'
  } catch (error) {
    failed(error)
    return isWriting ? 'unknown' : 'untouched'
  }
}

/**
 * The units by user of the limits that a key has, as `UsageByUser` counted them over all processes. What a process has counted
 * since its last beat is missing. Empty if nobody counts.
 *
 * @param key as decisions show it: `custom:acme`
 * @throws HaltError `HALT_E_STORE` if the store does not answer, `HALT_E_OPTION` if it has no documents
 */
export async function usageByUser(store: Store, key: string): Promise<readonly LimitUsage[]> {
  const { text } = await readText(documentsOf(store)(documentOfSlot(slotOfKey(key))))
  const clock = storeClockOf(store)
  await learnTime(store, clock)
  const found = new Map<
    string,
    { since: number; until: number; others: number; users: Map<string, number> }
  >()
  for (const { policy, key: own, since, until, others, users } of readUsage(text).values()) {
    if (own !== key || until * 1000 <= clock.now()) continue
    // A limit that is not a quota has two periods.
    const known = found.get(policy) ?? { since, until, others: 0, users: new Map() }
    known.since = Math.min(known.since, since)
    known.until = Math.max(known.until, until)
    known.others += others
    for (const [user, units] of users) known.users.set(user, (known.users.get(user) ?? 0) + units)
    found.set(policy, known)
  }
  return Array.from(found, ([policy, { since, until, others, users }]) => ({
    policy,
    since,
    until,
    users: Array.from(users, ([user, units]) => ({ key: user, units })).sort((a, b) => b.units - a.units),
    others,
  }))
}

/**
 * Finds a user among all that the documents name, whatever limit they share: for a page that shows digests of keys. It reads all
 * documents, so ask it last.
 *
 * @throws HaltError `HALT_E_STORE`
 */
export async function findUserInUsage(
  store: Store,
  isMeant: (key: string) => boolean,
): Promise<string | undefined> {
  const documentOf = documentsOf(store)
  for (let from = 0; from < SLOTS; from += READ_TOGETHER) {
    const slots = Array.from({ length: READ_TOGETHER }, (_, i) => from + i)
    const texts = await Promise.all(
      slots.map(async slot => (await readText(documentOf(documentOfSlot(slot)))).text),
    )
    for (const text of texts)
      for (const { users } of readUsage(text).values())
        for (const user of users.keys()) if (isMeant(user)) return user
  }
  return undefined
}
