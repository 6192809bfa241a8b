import {
  evaluateAcross,
  type Evaluation,
  type Group,
  inDoubt,
  type NodeOf,
  nodesOf,
  type Send,
} from '@halt/core/store'
import { type Connection, toStoreError } from './connection/index.ts'
import { slotOf, type KeyWriter } from './keys.ts'
import { readWholeNumber, unexpectedReply } from './reply-value.ts'
import { forget } from './scripts.ts'

/** The hash slots of all keys of a group. */
export function slotsOf(group: Group, key: KeyWriter): number[] {
  return nodesOf(group, slots(key))
}

/** Evaluates a group whose keys are in several hash slots, as {@link evaluateAcross} does. */
export function evaluateAcrossSlots(group: Group, key: KeyWriter, send: Send<number>): Promise<Evaluation> {
  return evaluateAcross(group, slots(key), send, error => inDoubt(toStoreError(error)))
}

function slots(key: KeyWriter): NodeOf<number> {
  return (subject, counter) => slotOf(key(subject, counter))
}

/** Groups keys by hash slot. */
export function keysBySlot(keys: readonly string[]): string[][] {
  const lists = new Map<number, string[]>()
  for (const key of keys) {
    const slot = slotOf(key)
    const list = lists.get(slot)
    if (list === undefined) lists.set(slot, [key])
    else list.push(key)
  }
  return [...lists.values()]
}

// The most keys per call, so that a call holds the server for less than a millisecond.
const MAX_KEYS_PER_CALL = 500
// The most calls that are pending at the same time.
const MAX_PARALLEL_CALLS = 8

/**
 * Deletes keys in slices, a few at a time, so that a long list does not delay other calls. Resolves to the number of keys
 * that existed. On a cluster the keys of each list are in one hash slot.
 */
export async function deleteKeys(
  connection: Connection,
  lists: readonly (readonly string[])[],
): Promise<number> {
  const slices = lists.flatMap(slicesOf)
  let deleted = 0
  const deleteSlices = async (): Promise<void> => {
    for (let keys = slices.pop(); keys !== undefined; keys = slices.pop()) {
      const reply = await connection.run(forget, keys, [''])
      const count = readWholeNumber(reply)
      if (count === undefined || count > keys.length) throw unexpectedReply(reply)
      deleted += count
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL_CALLS, slices.length) }, deleteSlices))
  } finally {
    // After a failure the other loops send no more.
    slices.length = 0
  }
  return deleted
}

function slicesOf(keys: readonly string[]): (readonly string[])[] {
  const slices = []
  for (let at = 0; at < keys.length; at += MAX_KEYS_PER_CALL)
    slices.push(keys.slice(at, at + MAX_KEYS_PER_CALL))
  return slices
}
