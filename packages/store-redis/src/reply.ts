import { aboutCounters, type Evaluation, type Group, type StoreError } from '@halt/core/store'

import { toStoreError } from './connection/index.ts'
import { readAdmission, readRefusal } from './reply-numbers.ts'
import { readWrittenOut, readText, readWholeNumber, ReplyEntries, unexpectedReply } from './reply-value.ts'

/**
 * Reads a reply of `decide.lua`: the evaluation or the error of each group. A group whose part of the reply cannot come from
 * the script gets an error.
 *
 * @param second the second that the call expected the server's clock to show; empty if it expected none
 * @throws StoreError `HALT_E_STORE_SCRIPT` if the reply as a whole cannot come from the script
 */
export function readReply(
  reply: unknown,
  groups: readonly Group[],
  second: string,
): (Evaluation | StoreError)[] {
  if (second !== '' && groups.length === 1) {
    const number = readWholeNumber(reply)
    if (number !== undefined) return [readAlone(number, groups[0] as Group, second)]
  }
  if (!Array.isArray(reply) || reply.length <= groups.length) throw unexpectedReply(reply)
  const entries = new ReplyEntries(reply)
  const now = readWholeNumber(entries.take())
  if (now === undefined) throw unexpectedReply(reply)
  const evaluations = groups.map(group => readPart(entries, group, now))
  if (!entries.areRead) throw unexpectedReply(reply)
  return evaluations
}

/** Reads the debt of the only bucket of a call, times a million, plus the microseconds of the server's clock in the second. */
function readAlone(number: number, group: Group, second: string): Evaluation | StoreError {
  const micros = number % 1e6
  const debt = (number - micros) / 1e6
  const evaluation =
    debt > 0 ? readAdmission(debt, NO_ENTRIES, group, Number(second) * 1e6 + micros) : undefined
  return evaluation ?? aboutCounters(unexpectedReply(number), group)
}

const NO_ENTRIES = new ReplyEntries([])

function readPart(entries: ReplyEntries, group: Group, now: number): Evaluation | StoreError {
  const number = entries.takeInteger()
  if (number !== undefined) {
    const read = number > 0 ? readAdmission : readRefusal
    return read(number, entries, group, now) ?? aboutCounters(unexpectedReply(number), group)
  }
  const entry = entries.take()
  const text = readText(entry)
  if (text.startsWith('!')) return aboutCounters(toStoreError(new Error(text.slice(1))), group)
  return readWrittenOut(text, group, now) ?? aboutCounters(unexpectedReply(entry), group)
}
