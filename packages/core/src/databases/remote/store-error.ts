import type { Group, StoreFailure } from '../../store/contract.ts'
import { countersIn } from '../../store/counter-key.ts'

/** The meaning of a kind of error: the failure, the end of its code `HALT_E_STORE_…`, and what the user can do about it. */
export type ErrorMeaning = readonly [failure: StoreFailure, code: string, fix: string]

/** The error of a failed call to a server, whatever the client's own error was. */
export class StoreError extends Error {
  readonly failure: StoreFailure
  /** Stable, `HALT_E_STORE_…`. */
  readonly code: `HALT_E_STORE_${string}`
  /**
   * The server's own word for the error, such as `READONLY` of Redis or an SQLSTATE. Undefined if the error is not the server's, or if
   * the server may have applied the call nevertheless.
   */
  readonly reply: string | undefined
  /** What the user can do about it, one sentence. */
  readonly fix: string
  /** Names the counters that cannot be read, where the store works and they are at fault. */
  declare readonly counter?: string

  constructor(
    message: string,
    [failure, code, fix]: ErrorMeaning,
    { reply, cause }: { readonly reply?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StoreError'
    this.failure = failure
    this.code = `HALT_E_STORE_${code}`
    this.reply = reply
    this.fix = fix
  }
}

/** The error of a group whose counters cannot be read, though the store works. An error of another kind stays as it is. */
export function aboutCounters(error: StoreError, group: Group): StoreError {
  if (error.failure !== 'script') return error
  const counter = countersIn(group)
  return Object.assign(error, { counter, message: `${error.message} (${counter})` })
}

/** The error of a call that may have been executed, in full or in part. */
export function inDoubt(cause: StoreError): StoreError {
  const { message, failure, code, fix } = cause
  return Object.assign(new StoreError(message, [failure, '', fix], { cause }), { code })
}

/** The text of anything that a client threw. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // If a name resolves to several addresses, the error is an AggregateError without a message.
  return error.message || errorCode(error) || error.constructor.name
}

/** The `code` of anything that a client threw, if it is a text. */
export function errorCode(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** Names the type of a reply for an error's text, which never tells the content. */
export function replyType(reply: unknown): string {
  return Array.isArray(reply) ? `a list of ${reply.length}` : reply === null ? 'null' : typeof reply
}
