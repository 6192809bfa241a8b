import type { HaltWarning } from '@halt/core'
import type { StoreError, StoreMisread } from '@halt/core/store'

/** The warning of an object that could not be asked. */
export function warningOf(error: unknown): HaltWarning {
  const { message, failure, fix } = error as StoreError | StoreMisread
  if (failure === 'script')
    return {
      code: 'HALT_W_STORE_SCRIPT',
      message: `The Durable Object gives no answer of Halt: ${message}.`,
      fix,
    }
  if (failure === 'misconfigured')
    return {
      code: 'HALT_W_STORE_MISCONFIGURED',
      message: `The Durable Object refuses to work: ${message}.`,
      fix,
    }
  return {
    code: 'HALT_W_STORE_UNAVAILABLE',
    message: `The Durable Object does not answer: ${message}.`,
    fix: `${fix} Until then policies decide by onStoreError.`,
  }
}
