import { adapterSuite, type StoreUnderTest } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../tools/full.ts'
import { adapter } from './adapter.ts'

const atOnce: StoreUnderTest = {
  name: 'a store that answers at once',
  make: ({ now }) => new InMemoryStore({ clock: now }),
}
const later: StoreUnderTest = {
  name: 'a store that answers later',
  make: ({ now }) => {
    const store = new InMemoryStore({ clock: now })
    return { evaluate: async group => store.evaluate(group), forget: counters => store.forget(counters) }
  },
}

adapterSuite({ describe, expect, it }, adapter, isFull ? [atOnce, later] : [later])
