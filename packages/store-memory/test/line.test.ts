// Random histories of callers that wait in one line, on the store in memory by the clock of the world.
import { afterAll, beforeAll, it } from 'vitest'

import { chosenKinds, hasOperators, playHistories, withoutServer } from '../../core/test/line/histories.ts'
import { loadCore, unloadCore } from '../../core/test/line/virtual-core.ts'
import { InMemoryStore } from '../src/index.ts'

/** The store itself, and not a client of it. It can lose its counters. */
const server = (clock: () => number) => {
  const store = new InMemoryStore({ clock })
  return { store, skewMs: 0, lose: () => store.clear() }
}

beforeAll(async () => void (await loadCore()))
afterAll(unloadCore)

for (const kind of chosenKinds.filter(each => withoutServer(each) && !hasOperators(each)))
  it(`the line of a store in memory holds while ${kind.name}`, () =>
    playHistories(kind, { server, isDirect: true, runs: 4 }))
