// Random histories of callers that wait in one line while something changes, judged by a book that shares no code with the line.
import { afterAll, beforeAll, describe, it } from 'vitest'

import { chosenKinds, playHistories } from './histories.ts'
import { loadCore, unloadCore } from './virtual-core.ts'

beforeAll(async () => void (await loadCore()))
afterAll(unloadCore)

describe('the line of a process that holds its store itself holds while', () => {
  // Nothing fails over or hangs there, and nobody else is killed.
  const away = /fails over|hangs|close|killed|all of it/
  for (const kind of chosenKinds.filter(({ name }) => !away.test(name)))
    it(`${kind.name}`, () => playHistories(kind, { isDirect: true, runs: 4 }))
})

describe('the line holds in one to four processes while', () => {
  for (const kind of chosenKinds) it(`${kind.name}`, () => playHistories(kind))
})
