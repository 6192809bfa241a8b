import type { Store } from '@halt/core/store'
import { adapterSuite, type StoreUnderTest } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { redis } from '../../../store-redis/test/store-under-test.ts'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { adapter } from '../adapter.ts'

const later = (store: Store): Store => ({
  evaluate: async group => store.evaluate(group),
  forget: cells => store.forget(cells),
})

const atOnce: StoreUnderTest = { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) }
const laterStore = ({ now }: { now: () => number }): Store => later(new InMemoryStore({ clock: now }))

adapterSuite({ describe, expect, it }, adapter, [
  redis,
  // Redis answers later, too. Express and Hono meet a store that answers at once.
  ...(isFull ? [atOnce, { name: 'a store that answers later', make: laterStore }] : []),
])
