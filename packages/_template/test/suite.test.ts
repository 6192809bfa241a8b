import { adapterSuite } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'

import { adapter } from './adapter.ts'

adapterSuite({ describe, expect, it }, adapter, [
  { name: 'a store that answers at once', make: ({ now }) => new InMemoryStore({ clock: now }) },
  {
    name: 'a store that answers later',
    make: ({ now }) => {
      const store = new InMemoryStore({ clock: now })
      return { evaluate: async group => store.evaluate(group), forget: counters => store.forget(counters) }
    },
  },
])
