import type { Store } from '@halt/core/store'
import { adapterSuite } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { redis } from '../../store-redis/test/store-under-test.ts'
import { describe, expect, it } from 'vitest'

import { adapter } from './adapter.ts'

const later = (store: Store): Store => ({
  evaluate: async group => store.evaluate(group),
  forget: cells => store.forget(cells),
})

adapterSuite({ describe, expect, it }, adapter, [
  { name: 'memory', make: ({ now }) => new InMemoryStore({ clock: now }) },
  redis,
  { name: 'a store that answers later', make: ({ now }) => later(new InMemoryStore({ clock: now })) },
])
