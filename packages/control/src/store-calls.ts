// The calls of a store for which no request waits: its documents, and its time. Each has a deadline.
import {
  capabilitiesOf,
  describe,
  fail,
  HaltError,
  isVersion,
  LOOK_GROUP,
  messageOf,
  NEVER_WRITTEN,
  type Store,
  type StoreClock,
  type StoreDocument,
  type VersionedText,
  within,
} from '@halt/core/gate'

/** How long one call of the store may take, in milliseconds. */
const CALL_TIMEOUT_MS = 1_000

/** How the calls of a document are waited for. */
export interface Wait {
  /** Whether the calls may be left pending when the process wants to end. Default false. */
  readonly quiet?: boolean | undefined
  /** How long one call may take, in milliseconds. Default {@link CALL_TIMEOUT_MS}. */
  readonly ms?: number | undefined
}

/** Opens the documents of a store. @throws HaltError `code` if it has none */
export function documentsOf(
  store: Store,
  code: 'HALT_E_OPTION' | 'HALT_E_CONTROL' = 'HALT_E_OPTION',
): (name: string) => StoreDocument {
  const { document } = capabilitiesOf(store)
  if (document !== undefined) return document
  return fail(
    code,
    `The store is ${describe(store)}, which is not a store with documents.`,
    'Give the store of the limiters: one of Halt, or one that has document(name).',
  )
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
    'Try again in a moment.',
  )
}

/** The error of a call that took too long. */
function lateCall(ms: number): Error {
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

/**
 * Asks a store for its time, unless the store's clock shows it without a call. The store's clock observes the answer. Never rejects:
 * without an answer in time, the clock goes on by the last instant that it observed, or by the system's clock.
 *
 * @returns whether the time is known
 */
export async function learnTime(store: Store, clock: StoreClock, wait: Wait = {}): Promise<boolean> {
  if (clock.ifKnown() !== undefined) return true
  const instant = await look(store, wait)
  if (instant !== undefined) clock.observe(instant)
  return instant !== undefined
}

/** Whether a store answers a check. Never rejects. */
export async function answers(store: Store, wait: Wait): Promise<boolean> {
  return (await look(store, wait)) !== undefined
}

// The evaluation carries the store's instant.
async function look(store: Store, { quiet, ms = CALL_TIMEOUT_MS }: Wait): Promise<number | undefined> {
  try {
    const asked = Promise.resolve(store.evaluate(LOOK_GROUP))
    return (await within(asked, ms, () => lateCall(ms), quiet)).now
  } catch {
    return undefined
  }
}
