import type { Store } from '@halt/core/store'
import { adapterSuite, type StoreUnderTest } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { redis } from '../../../store-redis/test/store-under-test.ts'

import { isFull } from '../../../../tools/full.ts'
import { allBut } from '../../../../tools/parts-of-suite.ts'
import { adapter } from '../adapter.ts'

const later = (store: Store): Store => ({
  evaluate: async group => store.evaluate(group),
  forget: cells => store.forget(cells),
})

const atOnce: StoreUnderTest = { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) }
const laterStore = ({ now }: { now: () => number }): Store => later(new InMemoryStore({ clock: now }))

/** In the short form Express alone plays odd values, which the guard of all adapters reads. */
const some = allBut('a function of the application')

adapterSuite(some, adapter, [
  redis,
  // Redis answers later, too. Express and Hono meet a store that answers at once.
  ...(isFull ? [atOnce, { name: 'a store that answers later', make: laterStore }] : []),
])
