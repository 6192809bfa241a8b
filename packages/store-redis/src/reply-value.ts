import { replyType, type StoreError } from '@halt/core/store'

import { storeError } from './connection/index.ts'

const INTEGER = /^-?\d{1,16}$/

/** Reads a reply that is one whole number of at least 0. Undefined if it is anything else. */
export function readWholeNumber(reply: unknown): number | undefined {
  const number = readInteger(reply)
  return number !== undefined && number >= 0 ? number : undefined
}

/** Reads a reply that is one integer. Undefined if it is anything else. */
function readInteger(reply: unknown): number | undefined {
  const number = typeof reply === 'number' ? reply : readDigits(readText(reply))
  return Number.isSafeInteger(number) ? number : undefined
}

function readDigits(text: string): number {
  return INTEGER.test(text) ? Number(text) : NaN
}

/** The text of a reply; empty if it is none. A client with a type mapping gives numbers as text, and text as bytes. */
export function readText(reply: unknown): string {
  if (typeof reply === 'string') return reply
  if (typeof reply === 'bigint') return reply.toString()
  return ArrayBuffer.isView(reply) ? new TextDecoder().decode(reply as Uint8Array) : ''
}

/** The error for a reply that no script of Halt returns. It names the type of the reply, never its content. */
export function unexpectedReply(reply: unknown): StoreError {
  const queued = reply === 'QUEUED' ? ' (QUEUED: a MULTI is open on the connection)' : ''
  return storeError(
    `The script cannot have given this reply: ${replyType(reply)}${queued}`,
    'unexpected-reply',
  )
}

/** The entries of a reply to several groups, read one after the other. */
export class ReplyEntries {
  readonly #entries: readonly unknown[]
  #at = 0

  constructor(entries: readonly unknown[]) {
    this.#entries = entries
  }

  /** Whether no entry is left, and none was missing. */
  get areRead(): boolean {
    return this.#at === this.#entries.length
  }

  take(): unknown {
    return this.#entries[this.#at++]
  }

  /** Reads the next entry if it is an integer. Otherwise returns undefined, and the entry remains. */
  takeInteger(): number | undefined {
    const number = readInteger(this.#entries[this.#at])
    if (number !== undefined) this.#at++
    return number
  }
}
