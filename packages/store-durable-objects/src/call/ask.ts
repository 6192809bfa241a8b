import { StoreMisread } from '@halt/core/store'

import type { ObjectStub } from '../platform.ts'
import type { Answers, Question, Reply } from './message.ts'
import { isErrorKind, storeError, toStoreError } from './store-error.ts'

// The host of the address is never resolved.
const ADDRESS = 'https://halt/'

/**
 * Asks a Durable Object, once. Rejects with a StoreError if the call fails, and with a StoreMisread if the reply is not one of
 * HaltCounters.
 *
 * @param stub makes the stub of the object. After an error a stub is broken, so each call has its own
 */
export async function ask<Q extends Question>(
  stub: () => ObjectStub,
  question: Q,
): Promise<Answers[Q['ask']]> {
  let status: number
  let text: string
  try {
    const response = await stub().fetch(ADDRESS, { method: 'POST', body: JSON.stringify(question) })
    status = response.status
    text = await response.text()
  } catch (error) {
    throw toStoreError(error)
  }
  const reply = parse(text)
  if (reply === undefined)
    throw new StoreMisread(`the object answered ${status} and ${excerptOf(text)}`, NOT_OURS)
  if ('answer' in reply) return reply.answer as Answers[Q['ask']]
  const { kind, message } = reply.error
  throw storeError(message, kind, kind)
}

const NOT_OURS = 'Bind the store to HaltCounters itself, and let its fetch() return the response unchanged.'

/** Reads the reply of HaltCounters. Undefined for any other text. */
function parse(text: string): Reply | undefined {
  let reply: Partial<{ answer: unknown; error: { kind?: unknown; message?: unknown } | null }> | null
  try {
    reply = JSON.parse(text) as typeof reply
  } catch {
    return undefined
  }
  if (typeof reply !== 'object' || reply === null) return undefined
  if ('answer' in reply) return reply as Reply
  return isErrorKind(reply.error?.kind) && typeof reply.error.message === 'string'
    ? (reply as Reply)
    : undefined
}

/** The beginning of a foreign reply on one line, for an error's message. */
function excerptOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line === '' ? 'nothing' : JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line)
}
