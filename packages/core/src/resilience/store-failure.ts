import { HaltError, messageOf } from '../base/errors.ts'
import type { StoreFailure } from '../store/contract.ts'

/** The warning code for each kind of failure. */
export const WARNINGS = {
  timeout: 'HALT_W_STORE_TIMEOUT',
  unavailable: 'HALT_W_STORE_UNAVAILABLE',
  full: 'HALT_W_STORE_FULL',
  misconfigured: 'HALT_W_STORE_MISCONFIGURED',
  script: 'HALT_W_STORE_SCRIPT',
} as const

/** The error of a store that did not answer in time. */
export class StoreTimeout extends Error {
  readonly failure: StoreFailure = 'timeout'
  readonly code = 'HALT_E_STORE_TIMEOUT'

  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
  }
}

/** The kind of a store's failure; `unavailable` when the error names no kind. */
export function failureKind(error: unknown): StoreFailure {
  const { failure } = fieldsOf(error)
  return typeof failure === 'string' && Object.hasOwn(WARNINGS, failure)
    ? (failure as StoreFailure)
    : 'unavailable'
}

/** Whether the store certainly did not apply a failed call: it replied with an error, or the call was never sent. */
export function wasNotApplied(error: unknown): boolean {
  const { reply, unsent } = fieldsOf(error)
  return reply !== undefined || unsent === true
}

/** The counter that cannot be read, if it is at fault and not the store. */
export function unreadableCounter(error: unknown): string | undefined {
  const { counter } = fieldsOf(error)
  return typeof counter === 'string' ? counter : undefined
}

/** The error for a caller whose call of the store has failed: `HALT_E_STORE`, with the fix that the failure names. */
export function storeError(error: unknown): HaltError {
  const { fix } = fieldsOf(error)
  return new HaltError(
    'HALT_E_STORE',
    `The store call failed: ${failureText(error)}.`,
    typeof fix === 'string' ? fix : 'Check that the store is reachable.',
    { cause: error },
  )
}

/** The message of a failure without a full stop, so that it fits into a sentence. */
export function failureText(error: unknown): string {
  return messageOf(error).replace(/\.$/, '')
}

interface Fields {
  readonly failure?: unknown
  readonly reply?: unknown
  readonly counter?: unknown
  readonly unsent?: unknown
  readonly fix?: unknown
}

function fieldsOf(error: unknown): Fields {
  return typeof error === 'object' && error !== null ? error : {}
}
