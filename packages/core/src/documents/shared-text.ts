import { HaltError, messageOf } from '../base/errors.ts'
import { within } from '../base/timers.ts'
import { isVersion, NEVER_WRITTEN, type StoreDocument, type VersionedText } from '../store/document.ts'

/** How long one call of the store may take, in milliseconds. */
export const CALL_TIMEOUT_MS = 1_000

/** How the calls of a document are waited for. */
export interface Wait {
  /** Whether the calls may be left pending when the process wants to end. Default false. */
  readonly quiet?: boolean | undefined
  /** How long one call may take, in milliseconds. Default {@link CALL_TIMEOUT_MS}. */
  readonly ms?: number | undefined
}

/** Reads a document. @throws HaltError `HALT_E_STORE` if it fails, or does not answer in time */
export async function readText(document: StoreDocument, wait: Wait = {}): Promise<VersionedText> {
  return (await readNewText(document, undefined, wait)) ?? NEVER_WRITTEN
}

/** Reads a document if its version is not `since`. @throws HaltError `HALT_E_STORE` */
export function readNewText(
  document: StoreDocument,
  since: string | undefined,
  wait: Wait,
): Promise<VersionedText | undefined> {
  return call(async () => {
    const found = await document.read(since)
    if (found === undefined) return undefined
    if (isVersion(found.version) && typeof found.text === 'string') return found
    throw new Error('the store answered no document')
  }, wait)
}

/** Writes a document if its version is still `since`. Resolves to the new version. @throws HaltError `HALT_E_STORE` */
export function writeText(
  document: StoreDocument,
  text: string,
  since: string,
  wait: Wait,
): Promise<string | undefined> {
  return call(async () => {
    const version = await document.write(text, since)
    if (version === undefined || isVersion(version)) return version
    throw new Error('the store answered no version')
  }, wait)
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
    const found = await readText(document, { quiet })
    const text = change(found)
    if (text === undefined) return
    if ((await writeText(document, text, found.version, { quiet })) !== undefined) return
  }
  throw busy(attempts)
}

/** The error of a writer that other processes overtook each time. */
export function busy(attempts: number): HaltError {
  return new HaltError(
    'HALT_E_STORE_BUSY',
    `Other processes wrote the document during each of ${attempts} attempts.`,
    'Try again.',
  )
}

/** The error of a call that took too long. */
export function lateCall(ms: number = CALL_TIMEOUT_MS): Error {
  return new Error(`no answer within ${ms} ms`)
}

async function call<T>(ask: () => Promise<T>, { quiet, ms = CALL_TIMEOUT_MS }: Wait): Promise<T> {
  try {
    return await within(ask(), ms, () => lateCall(ms), quiet)
  } catch (error) {
    const { fix = 'Check that the store is reachable.' } = error as { fix?: string }
    throw new HaltError('HALT_E_STORE', `The store call failed: ${messageOf(error)}.`, fix, { cause: error })
  }
}
