import { HaltError, messageOf } from '../base/errors.ts'
import { within } from '../base/timers.ts'
import { NEVER_WRITTEN, type StoreDocument, type VersionedText } from './document.ts'

/** How long one call of the store may take, in milliseconds. */
export const CALL_TIMEOUT_MS = 1_000

/** Reads a document within a second. @throws HaltError `HALT_E_STORE` */
export async function readText(document: StoreDocument, quiet = false): Promise<VersionedText> {
  return (await call(() => document.read(), quiet)) ?? NEVER_WRITTEN
}

/**
 * Changes a document, and tries again while other processes write it. `change` returns the new text, or undefined if there is
 * nothing to change.
 *
 * @param quiet whether the calls may be left pending when the process wants to end
 * @throws HaltError `HALT_E_STORE`; `HALT_E_STORE_BUSY` if others wrote during every attempt
 */
export async function updateText(
  document: StoreDocument,
  attempts: number,
  change: (found: VersionedText) => string | undefined,
  quiet = false,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = await readText(document, quiet)
    const text = change(found)
    if (text === undefined) return
    if ((await call(() => document.write(text, found.version), quiet)) !== undefined) return
  }
  throw new HaltError(
    'HALT_E_STORE_BUSY',
    `Other processes wrote the document during each of ${attempts} attempts.`,
    'Try again.',
  )
}

/** The error of a call that took too long. */
export function lateCall(): Error {
  return new Error(`no answer within ${CALL_TIMEOUT_MS} ms`)
}

async function call<T>(ask: () => Promise<T>, quiet: boolean): Promise<T> {
  try {
    return await within(Promise.resolve(ask()), CALL_TIMEOUT_MS, lateCall, quiet)
  } catch (error) {
    const { fix = 'Check that the store is reachable.' } = error as { fix?: string }
    throw new HaltError('HALT_E_STORE', `The store call failed: ${messageOf(error)}.`, fix, { cause: error })
  }
}
