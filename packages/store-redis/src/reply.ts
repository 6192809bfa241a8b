import type { Group, Evaluation } from '@halt/core/store'

import { type StoreError, toStoreError } from './connection/index.ts'
import { readAdmission, readRefusal } from './reply-numbers.ts'
import { readWrittenOut } from './reply-text.ts'
import { readText, readWholeNumber, ReplyEntries, unexpectedReply } from './reply-value.ts'

/**
 * Reads a reply of `decide.lua`: the evaluation or the error of each group. A group whose part of the reply cannot come from
 * the script gets an error.
 *
 * @throws StoreError `HALT_E_STORE_SCRIPT` if the reply as a whole cannot come from the script
 */
export function readReply(reply: unknown, groups: readonly Group[]): (Evaluation | StoreError)[] {
  if (!Array.isArray(reply) || reply.length <= groups.length) throw unexpectedReply(reply)
  const entries = new ReplyEntries(reply)
  const now = readWholeNumber(entries.take())
  if (now === undefined) throw unexpectedReply(reply)
  const evaluations = groups.map(group => readPart(entries, group, now))
  if (!entries.areRead) throw unexpectedReply(reply)
  return evaluations
}

function readPart(entries: ReplyEntries, group: Group, now: number): Evaluation | StoreError {
  const number = entries.takeInteger()
  if (number !== undefined) {
    const read = number > 0 ? readAdmission : readRefusal
    return read(number, entries, group, now) ?? unexpectedReply(number)
  }
  const entry = entries.take()
  const text = readText(entry)
  if (text.startsWith('!')) return toStoreError(new Error(text.slice(1)))
  return readWrittenOut(text, group, now) ?? unexpectedReply(entry)
}
