import { adapterSuite, type StoreUnderTest } from '@halt/conformance'
import { InMemoryStore } from '@halt/store-memory'

import { isFull } from '../../../tools/full.ts'
import { allBut } from '../../../tools/parts-of-suite.ts'
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

/** In the short form without odd values, random requests and delays, which Halt itself decides, and which each real adapter meets. */
const some = allBut('a function of the application', 'a random history', 'delay')

adapterSuite(some, adapter, isFull ? [atOnce, later] : [later])
