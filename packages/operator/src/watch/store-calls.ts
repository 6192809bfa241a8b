import { HaltError } from '@halt/core'
import { messageOf } from '@halt/core/http'
import type { Store, StoreDocument } from '@halt/core/store'

import { inTime } from '../in-time.ts'

/** How long a call of the store may take, in milliseconds. */
const STORE_MS = 1_000

/** Waits for a call of the store. @throws HaltError `HALT_E_STORE` if it fails, or does not answer in time */
async function fromStore<T>(answer: Promise<T>): Promise<Awaited<T>> {
  try {
    return await inTime(answer, STORE_MS)
  } catch (error) {
    const { fix = 'Check that the store is reachable.' } = error as { fix?: string }
    throw new HaltError('HALT_E_STORE', `The store call failed: ${messageOf(error)}.`, fix, { cause: error })
  }
}

/** A document whose calls end in time. */
export function documentOf(store: Pick<Required<Store>, 'document'>, name: string): StoreDocument {
  const document = store.document(name)
  return {
    read: since => fromStore(document.read(since)),
    write: (text, since) => fromStore(document.write(text, since)),
  }
}
