import type { Store, StoreDocument } from '@halt/core/store'
import { type FakeOutage, fakeOutage } from '@halt/core/testing'

/** A store whose documents do something else when they are read or written, and that can go away. */
export function otherDocuments(
  store: Store,
  change: (document: StoreDocument, name: string) => Partial<StoreDocument>,
): FakeOutage {
  const own = fakeOutage(store)
  const documentOf = own.document!.bind(own)
  return Object.assign(own, {
    document(name: string): StoreDocument {
      const document = documentOf(name)
      return {
        read: since => document.read(since),
        write: (text, since) => document.write(text, since),
        ...change(document, name),
      }
    },
  })
}
