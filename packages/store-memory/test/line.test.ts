// Random histories of callers that wait in one line, on the store in memory by the clock of the world.
import { afterAll, beforeAll, describe, it } from 'vitest'

import { chosenKinds, playHistories } from '../../core/test/line/histories.ts'
import { loadCore, unloadCore } from '../../core/test/line/virtual-core.ts'
import { InMemoryStore } from '../src/index.ts'

/** The store itself, and not a client of it. It can lose its counters. */
const server = (clock: () => number) => {
  const store = new InMemoryStore({ clock })
  return { store, skewMs: 0, lose: () => store.clear() }
}

beforeAll(async () => void (await loadCore()))
afterAll(unloadCore)

describe('the line of a store in memory holds while', () => {
  const away = /fails over|hangs|close|killed|all of it/
  for (const kind of chosenKinds.filter(({ name }) => !away.test(name)))
    it(`${kind.name}`, () => playHistories(kind, { server, isDirect: true, runs: 4 }))
})
