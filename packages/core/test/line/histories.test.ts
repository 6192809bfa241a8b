// Random histories of callers that wait in one line while something changes, judged by a book that shares no code with the line.
import { afterAll, beforeAll, describe, it } from 'vitest'

import { chosenKinds, playHistories } from './histories.ts'
import { loadCore, unloadCore } from './virtual-core.ts'

beforeAll(async () => void (await loadCore()))
afterAll(unloadCore)

describe('the line holds in one to four processes while', () => {
  for (const kind of chosenKinds) it(`${kind.name}`, () => playHistories(kind))
})
